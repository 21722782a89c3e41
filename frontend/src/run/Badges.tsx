// What one must know of a run on each of its pages: what the reader found, and how far its replay can be trusted.

import { useEffect, useState } from 'preact/hooks';
import { getJson, type Run, type Standing } from '../transport/api';
import { headline } from '../ui/QualityPanel';
import { visible } from '../ui/text';
import { TRUST_MARKS, TRUST_WORDS } from '../ui/trust_levels';

const TEXT_LIMIT = 400;

/** On pages other than the timeline, which shows the findings itself. */
export function RunBadges({ run }: { run: Run }) {
  return (
    <>
      <QualityLink run={run} />
      <TrustBadge run={run} />
    </>
  );
}

export function QualityLink({ run }: { run: Run }) {
  const [first, ...others] = run.quality;
  if (!first) return null;
  const text = `Quality: ${headline(first)}${others.length ? `, ${others.length} more` : ''}`;
  return (
    <a class="badge warning" href={`${run.url}?panel=quality`} title={visible(text, TEXT_LIMIT)}>
      <span class="cut">{visible(text, TEXT_LIMIT)}</span>
    </a>
  );
}

/** The verdict on the run, or on the one it was predicted from; nothing until the server has said. */
export function TrustBadge({ run }: { run: Run }) {
  const [standing, setStanding] = useState<Standing | null>(null);
  const assessed = run.measured_run ?? run.id;
  useEffect(() => {
    const gone = new AbortController();
    getJson<Standing>(`runs/${assessed}/trust/`, gone.signal).then(setStanding, () => {});
    return () => gone.abort();
  }, [assessed]);
  if (!standing) return null;
  const verdict = standing.figures?.verdict;
  return (
    <a
      class={`badge ${verdict ? TRUST_MARKS[verdict.level] : 'plain'}`}
      href={`${run.url}trust/`}
      title={verdict && visible(verdict.title, TEXT_LIMIT)}
    >
      <span class="cut">
        Trust:{' '}
        {verdict ? TRUST_WORDS[verdict.level] : standing.state === 'working' ? 'at work' : 'not assessed'}
      </span>
    </a>
  );
}
