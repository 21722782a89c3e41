// The canvas as an element: focusable, described, spoken, and with a table of what it shows for those who do not
// see it.

import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Hit } from '../engine/cursor';
import { trackName } from '../engine/rows';
import { formatDuration } from '../ui/format';
import { Tooltip } from './Tooltip';
import type { Viewer } from './viewer';

const TABLE_ROWS = 20;

export function ViewerSurface({ viewer, label }: { viewer: Viewer; label: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const detach = viewer.attach(host.current!);
    host.current!.focus({ preventScroll: true });
    return detach;
  }, [viewer]);
  return (
    <div class="workspace-main">
      <h1 class="sr-only">{label}</h1>
      <div
        ref={host}
        class="surface"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the keys itself
        tabIndex={0}
        aria-label={`${label}. Arrow keys move from event to event, question mark lists all keys.`}
        aria-details="visible-events"
      />
      <Tooltip viewer={viewer} />
      <div class="sr-only" aria-live="polite">
        {viewer.spoken}
      </div>
      <div class="sr-only">
        <VisibleEvents viewer={viewer} />
      </div>
    </div>
  );
}

function VisibleEvents({ viewer }: { viewer: Viewer }) {
  const [hits, setHits] = useState<Hit[]>([]);
  useSignalEffect(() => {
    viewer.settled.value; // again whenever the picture came to rest
    setHits(viewer.surface?.longest(TABLE_ROWS) ?? []);
  });
  return (
    <table id="visible-events">
      <caption>The longest events in view</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Track</th>
          <th scope="col">Start</th>
          <th scope="col">Duration</th>
        </tr>
      </thead>
      <tbody>
        {hits.map((hit) => (
          <tr key={`${hit.pane} ${hit.track} ${hit.row}`}>
            <td>{viewer.nameOf(hit)}</td>
            <td>{trackName(viewer.trackOf(hit))}</td>
            <td>{formatDuration(hit.startNs)}</td>
            <td>{formatDuration(hit.durNs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
