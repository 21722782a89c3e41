// The line below: what is seen, what is chosen, what the colours mean.

import type { ComponentChildren } from 'preact';
import { formatDuration, formatPlural } from '../ui/format';
import type { Viewer } from './viewer';

const ROLES = [
  ['compute', 'compute'],
  ['communication', 'communication'],
  ['copy', 'copy'],
  ['host', 'host op'],
  ['runtime', 'runtime call'],
  ['waiting', 'waiting, other'],
] as const;

export function StatusBar({ viewer, children }: { viewer: Viewer; children?: ComponentChildren }) {
  const [{ layout }] = viewer.panes;
  const { beginNs, endNs } = viewer.view.value;
  const range = viewer.range.value;
  const [first, last] = layout.span;
  // The closer one looks, the more digits tell the two ends apart.
  const digits = Math.min(10, 4 + Math.max(0, Math.round(Math.log10((last - first) / (endNs - beginNs)))));
  const events = layout.tracks.reduce((sum, track) => sum + track.events, 0);
  return (
    <footer class="footer">
      <span>
        {formatDuration(Math.max(first, beginNs), digits)} – {formatDuration(Math.min(last, endNs), digits)}{' '}
        of {formatDuration(last - first, 4)}
      </span>
      {range && <span>selected {formatDuration(range.endNs - range.beginNs, 4)}</span>}
      <span class="wide">
        {formatPlural(events, 'event')}, {formatPlural(layout.traces.length, 'rank')}
      </span>
      {children}
      <span class="footer-end wide">
        {ROLES.map(([role, text]) => (
          <span key={role} class="legend">
            <i class={`swatch ${role}`} />
            {text}
          </span>
        ))}
      </span>
      {!children && (
        <span class="wide">
          <kbd>W</kbd> <kbd>A</kbd> <kbd>S</kbd> <kbd>D</kbd> move, <kbd>?</kbd> keys
        </span>
      )}
    </footer>
  );
}
