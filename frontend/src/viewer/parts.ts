// What of the run the page points at now, and so could export.

import { trackName } from '../engine/rows';
import type { Part } from '../run/exporting';
import { formatDuration, formatPlural } from '../ui/format';
import type { Viewer } from './viewer';

export function partsOf(viewer: Viewer): Part[] {
  const [{ layout }] = viewer.panes;
  const view = viewer.view.value;
  const range = viewer.range.value;
  const tracks = viewer.tracksInView();
  const chosen = viewer.chosen.value?.details[0];
  const onScreen = formatPlural(tracks.length, 'track');
  const parts: Part[] = [];
  if (range) {
    const length = formatDuration(range.endNs - range.beginNs);
    parts.push({ label: `Selected range, ${length}, all tracks`, range });
    parts.push({ label: `Selected range, ${length}, ${onScreen} on the screen`, range, tracks });
  }
  const length = formatDuration(view.endNs - view.beginNs);
  parts.push({ label: `What is in view, ${length}, ${onScreen}`, range: view, tracks });
  if (chosen) {
    const { track, trace } = chosen;
    parts.push({ label: `Track of the selected slice, ${trackName(layout.tracks[track])}`, tracks: [track] });
    if (layout.traces.length > 1)
      parts.push({ label: `All of ${layout.traces[trace].label}`, traces: [trace] });
  }
  return parts;
}
