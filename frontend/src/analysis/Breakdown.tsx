// Where the device's time goes: one bar per rank, and under it one per step, on one scale.

import { useState } from 'preact/hooks';
import { formatDuration, formatShare } from '../ui/format';
import { visible } from '../ui/text';
import type { Parts, RankParts } from './figures';

const KINDS = [
  ['exposed_compute_ns', 'compute', 'compute alone'],
  ['overlapped_ns', 'overlapped', 'compute and communication'],
  ['exposed_communication_ns', 'communication', 'communication alone'],
  ['copying_ns', 'copy', 'copies alone'],
  ['idle_ns', 'idle', 'idle'],
] as const;

const SHOWN = 40;

interface Props {
  ranks: readonly RankParts[];
  timeline: string;
}

export function Breakdown({ ranks, timeline }: Props) {
  // Of several ranks, their steps would push everything else off the screen.
  const [withSteps, setWithSteps] = useState(false);
  const hasSteps = ranks.some(({ steps }) => steps.length > 1);
  const isFolded = ranks.length > 1 && !withSteps;
  const bars = ranks.flatMap((rank) => barsOf(rank, ranks.length > 1, !isFolded));
  const longest = Math.max(1, ...bars.filter(({ inner }) => !inner).map(({ parts }) => parts.window_ns));
  const longestStep = Math.max(1, ...bars.filter(({ inner }) => inner).map(({ parts }) => parts.window_ns));
  return (
    <>
      <ul class="part-legend">
        {KINDS.map(([, colour, label]) => (
          <li key={colour}>
            <span class={`swatch part-${colour}`} />
            {label}
          </li>
        ))}
      </ul>
      <div class="bars">
        {bars.slice(0, SHOWN).map(({ label, parts, inner }, at) => (
          <Bar
            key={at}
            label={label}
            parts={parts}
            inner={inner}
            longest={inner ? longestStep : longest}
            timeline={timeline}
          />
        ))}
      </div>
      {bars.length > SHOWN && <p class="muted">{bars.length - SHOWN} more: choose a rank or a step.</p>}
      {hasSteps && ranks.length > 1 && (
        <p>
          <button
            type="button"
            class="button compact"
            aria-expanded={withSteps}
            onClick={() => setWithSteps(!withSteps)}
          >
            {withSteps ? 'Hide the steps' : 'Show each step'}
          </button>
        </p>
      )}
    </>
  );
}

interface OneBar {
  label: string;
  parts: Parts;
  inner: boolean;
}

/** A rank's bar and, if asked for, one for each of its steps where it has several. */
function barsOf(rank: RankParts, isOneOfSeveral: boolean, withSteps: boolean): OneBar[] {
  const label = rank.rank !== null ? `rank ${rank.rank}` : isOneOfSeveral ? 'rank ?' : 'whole run';
  const steps = withSteps && rank.steps.length > 1 ? rank.steps : [];
  return [
    { label, parts: rank, inner: false },
    ...steps.map((step) => ({ label: step.name, parts: step, inner: true })),
  ];
}

interface BarProps extends OneBar {
  longest: number;
  timeline: string;
}

function Bar({ label, parts, inner, longest, timeline }: BarProps) {
  const said = KINDS.filter(([key]) => parts[key] > 0).map(([key, , what]) => {
    const share = formatShare((100 * parts[key]) / parts.window_ns);
    return `${what} ${formatDuration(parts[key])} (${share})`;
  });
  const window = `?from=${parts.begin_ns}&to=${parts.begin_ns + parts.window_ns}`;
  return (
    <a class={`bar-line${inner ? ' inner' : ''}`} href={timeline + window} title={said.join('\n')}>
      <span class="bar-label cut">
        <bdi>{visible(label, 60)}</bdi>
      </span>
      <span class="bar" role="img" aria-label={said.join(', ')}>
        <span class="bar-fill" style={{ width: `${(100 * parts.window_ns) / longest}%` }}>
          {KINDS.map(([key, colour]) => (
            <span
              key={colour}
              class={`part-${colour}`}
              style={{ width: `${(100 * parts[key]) / Math.max(parts.window_ns, 1)}%` }}
            />
          ))}
        </span>
      </span>
      <span class="bar-figure">{formatDuration(parts.window_ns)}</span>
    </a>
  );
}
