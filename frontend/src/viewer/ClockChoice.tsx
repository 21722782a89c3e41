// Clocks of ranks differ: times as each rank recorded them, or shifted by the offsets estimated from what they did
// together. The events stay as they are; only the picture changes.

import type { ClockMode, Layout } from '../transport/api';
import { formatDelta, formatDuration } from '../ui/format';
import { formatState, parseState } from './url';

export function clockOf(search: string): ClockMode {
  return new URLSearchParams(search).get('clock') === 'aligned' ? 'aligned' : 'recorded';
}

/** The address on these clocks, on the same window although the zero of time moved; the rest as it was. */
export function onClock(search: string, shown: ClockedBase, next: ClockedBase): string {
  const state = parseState(search);
  const movedNs = Number(BigInt(shown.base_ns) - BigInt(next.base_ns));
  const view = state.view && {
    beginNs: state.view.beginNs + movedNs,
    endNs: state.view.endNs + movedNs,
  };
  const params = new URLSearchParams(formatState({ ...state, view }, search));
  if (next.clock === 'aligned') params.set('clock', next.clock);
  else params.delete('clock');
  return `?${params}`;
}

type ClockedBase = Pick<Layout, 'clock' | 'base_ns'>;

/** The trace whose clock is furthest off; null where nothing is known of clocks. */
export function furthest({ traces }: Pick<Layout, 'traces'>) {
  return traces
    .flatMap(({ label, clock }) => (clock ? [{ label, ...clock }] : []))
    .reduce<{ label: string; offset_ns: number; uncertainty_ns: number } | null>(
      (most, one) => (most && Math.abs(most.offset_ns) >= Math.abs(one.offset_ns) ? most : one),
      null,
    );
}

/** Of several runs side by side, the layout with the clock that is furthest off. */
export function furthestOff<L extends Pick<Layout, 'traces'>>(layouts: readonly L[]): L {
  const off = (layout: L) => {
    const most = furthest(layout);
    return most ? Math.abs(most.offset_ns) : -1;
  };
  return layouts.reduce((most, one) => (off(one) > off(most) ? one : most));
}

interface ClockChoiceProps {
  layout: Layout;
  onChoose: (mode: ClockMode) => void;
}

export function ClockChoice({ layout, onChoose }: ClockChoiceProps) {
  const most = furthest(layout);
  if (!most) return null;
  const choice = (mode: ClockMode, text: string) => (
    <button
      type="button"
      class="button quiet"
      aria-pressed={layout.clock === mode}
      onClick={() => layout.clock !== mode && onChoose(mode)}
    >
      {text}
    </button>
  );
  return (
    <fieldset class="axis-choice" aria-label="Clocks">
      clocks: {choice('recorded', 'as recorded')}
      {choice('aligned', 'aligned')}
      <span class="wide">
        furthest: {most.label} {formatDelta(most.offset_ns)} ± {formatDuration(most.uncertainty_ns)}
      </span>
    </fieldset>
  );
}
