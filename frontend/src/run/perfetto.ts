// Hands a trace to Perfetto's own page by its protocol: open it, say PING until it says PONG, post the bytes. They go
// from this page to that page within the browser.

import { refusal } from '../transport/api';

export const PERFETTO = 'https://ui.perfetto.dev';
const PING_EVERY_MS = 50;
const PATIENCE_MS = 30_000;

/** Call it from a click, or the browser opens no window. Throws an Error that says why nothing was opened. */
export async function openInPerfetto(address: string, title: string): Promise<void> {
  const page = window.open(PERFETTO);
  if (!page) throw new Error('The browser kept the new window from opening: allow it for this site.');
  const stop = new AbortController();
  const [buffer] = await Promise.all([fetchTrace(address), answered(page, stop.signal)]).catch((error) => {
    stop.abort();
    throw error;
  });
  page.postMessage({ perfetto: { buffer, title, fileName: `${title}.json.gz` } }, PERFETTO, [buffer]);
}

async function fetchTrace(address: string): Promise<ArrayBuffer> {
  const response = await fetch(address);
  if (!response.ok) throw refusal(response.status, await response.text());
  return response.arrayBuffer();
}

function answered(page: Window, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const heard = ({ source, origin, data }: MessageEvent) => {
      if (source === page && origin === PERFETTO && data === 'PONG') end(resolve);
    };
    const end = (what: () => void) => {
      clearInterval(timer);
      removeEventListener('message', heard);
      what();
    };
    const ping = () => {
      if (stop.aborted) end(resolve);
      else if (page.closed) end(() => reject(new Error('The window of Perfetto was closed.')));
      else if (performance.now() - startedAt > PATIENCE_MS) end(() => reject(new Error(SILENT)));
      else page.postMessage('PING', PERFETTO);
    };
    const timer = setInterval(ping, PING_EVERY_MS);
    addEventListener('message', heard);
  });
}

const SILENT = `${PERFETTO} did not answer: it may be out of reach. Download the Chrome JSON and open it there.`;
