import { useEffect, useState } from 'preact/hooks';

const SHOWN_MS = 1500;

/** Copies `text`; `what` names it for those who do not see where the button stands. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      class="copy-button"
      aria-label={copied ? 'Copied' : `Copy ${what}`}
      onClick={async () => setCopied(await copyText(text))}
    >
      {copied ? 'Copied' : 'Copy'}
    </button>
  );
}

/** To the clipboard; by a selection where the page is not served securely and has no clipboard. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr-only';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
