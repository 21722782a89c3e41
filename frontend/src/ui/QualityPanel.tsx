// What the reader repaired, could not link or does not trust: one badge, and one panel with every count.

import type { QualityCount } from '../transport/api';
import { formatCount } from './format';
import { Panel } from './Panel';

/** The message up to its first semicolon: what happened, without what it means for the figures. */
export function headline(finding: QualityCount): string {
  return `${formatCount(finding.count)} ${finding.message.split(';')[0]}`;
}

export function QualityBadge({ quality, onOpen }: { quality: QualityCount[]; onOpen: () => void }) {
  const [first, ...others] = quality;
  if (!first) return <span class="badge plain">Quality: nothing repaired, nothing dropped</span>;
  const more = others.length > 0 ? `, ${others.length} more` : '';
  return (
    <button type="button" class="badge warning" onClick={onOpen}>
      <span class="cut">
        Quality: {headline(first)}
        {more}
      </span>
    </button>
  );
}

export function QualityPanel({ quality, onClose }: { quality: QualityCount[]; onClose: () => void }) {
  return (
    <Panel label="quality" onClose={onClose}>
      <section>
        <h3>Quality of this run</h3>
        <h2>{quality.length === 0 ? 'Nothing repaired, nothing dropped' : 'What the reader found'}</h2>
      </section>
      <ul class="findings">
        {quality.map((finding) => (
          <li key={finding.code}>
            <span class="figure">{formatCount(finding.count)}</span>
            <span>{finding.message}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
