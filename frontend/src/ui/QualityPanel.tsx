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

/** How times came about that nobody recorded, in words; "" where all are recorded. */
export function placingText(placing: readonly string[]): string {
  if (placing.length === 0) return '';
  const kinds = placing.map((kind) => (kind === 'data' ? 'data alone' : kind)).join('; in other ranks by ');
  return (
    'Times were not recorded but placed: each node begins as soon as all that it depends on has ended ' +
    `(by ${kinds}) and the node it runs in has begun; operations of an execution trace also follow each ` +
    'other in the order in which they began. Nothing else holds a node back: this is the order that the ' +
    'graph allows, not how long it took.'
  );
}

interface QualityPanelProps {
  quality: QualityCount[];
  placing: readonly string[];
  onClose: () => void;
}

export function QualityPanel({ quality, placing, onClose }: QualityPanelProps) {
  const placed = placingText(placing);
  return (
    <Panel label="quality" onClose={onClose}>
      <section>
        <h3>Quality of this run</h3>
        <h2>{quality.length === 0 ? 'Nothing repaired, nothing dropped' : 'What the reader found'}</h2>
      </section>
      {placed && (
        <section>
          <h3>Where times come from</h3>
          <p>{placed}</p>
        </section>
      )}
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
