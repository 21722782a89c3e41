// What is under the mouse.

import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Hit } from '../engine/cursor';
import { formatCount, formatDelta, formatDuration } from '../ui/format';
import type { Viewer } from './viewer';

const AWAY = 14; // CSS pixels from the mouse

export function Tooltip({ viewer }: { viewer: Viewer }) {
  const box = useRef<HTMLDivElement>(null);
  const hover = viewer.hover.value;
  useLayoutEffect(() => {
    const element = box.current;
    const frame = element?.parentElement;
    if (!element || !frame || !hover) return;
    const [width, height] = [element.offsetWidth, element.offsetHeight];
    const right = hover.x + AWAY + width <= frame.clientWidth;
    const below = hover.y + AWAY + height <= frame.clientHeight;
    element.style.left = `${Math.max(0, right ? hover.x + AWAY : hover.x - AWAY - width)}px`;
    element.style.top = `${Math.max(0, below ? hover.y + AWAY : hover.y - AWAY - height)}px`;
  }, [hover]);
  if (!hover) return null;
  const { hit } = hover;
  return (
    <div ref={box} class="tooltip">
      <strong>
        {hit.count > 1 && `${formatCount(hit.count)} events, longest: `}
        <bdi>{viewer.nameOf(hit)}</bdi>
      </strong>
      <span>
        {hit.durNs > 0 ? formatDuration(hit.durNs) : 'instant'}
        <span class="muted"> at {formatDuration(hit.startNs, 6)}</span>
      </span>
      <Pair viewer={viewer} hit={hit} />
    </div>
  );
}

/** The same event in the other pane, where the two are paired. */
function Pair({ viewer, hit }: { viewer: Viewer; hit: Hit }) {
  const pair = viewer.pairOf(hit);
  if (!pair) return null;
  return (
    <span class="muted">
      {pair.title}: {formatDuration(pair.durNs)} ({formatDelta(pair.durNs - hit.durNs)})
    </span>
  );
}
