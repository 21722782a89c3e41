// The event under the mouse, and the events beside the one that is selected. Pure.

import { levelFor } from '../tiles/geometry';
import type { Segment } from '../tiles/store';
import type { Pane } from './pane';
import { ownerAt, pixelOf, rightEdge } from './raster';
import { laneAt, type Row } from './rows';
import { nsPerPixel, spanOf, type Viewport } from './viewport';

/** An event of a pane as the tiles show it; `count` > 1: the longest of so many that share its pixel. */
export interface Hit {
  readonly pane: number;
  readonly track: number;
  readonly row: number;
  readonly lane: number;
  readonly name: number;
  readonly startNs: number;
  readonly durNs: number;
  readonly count: number;
}

const REACH = 2; // CSS pixels beside an event of one pixel that still mean it

/** The event at device pixel `x` of the time area and `contentY` of a row; near misses count. */
export function hitAt(
  pane: Pane,
  index: number,
  row: Row,
  contentY: number,
  x: number,
  view: Viewport,
  width: number,
  ratio: number,
): Hit | null {
  const lane = row.kind === 'track' ? laneAt(row, contentY) : -1;
  if (lane < 0) return null;
  const scale = pane.scale(view, width);
  const segments = pane.cover(row.track, view, width);
  for (const dx of nearFirst(Math.round(REACH * ratio))) {
    const owner = ownerAt(scale, segments, lane, Math.floor(x) + dx);
    if (!owner) continue;
    const { tile, index: i, x0, x1 } = owner.placed;
    const count = x1 - x0 === 1 ? owner.count : 1;
    return hitOf({ tile, beginNs: 0, endNs: 0 }, i, index, row.track, lane, count);
  }
  return null;
}

function nearFirst(reach: number): number[] {
  const offsets = [0];
  for (let d = 1; d <= reach; d++) offsets.push(-d, d);
  return offsets;
}

function hitOf({ tile }: Segment, i: number, pane: number, track: number, lane: number, count: number): Hit {
  return {
    pane,
    track,
    lane,
    count,
    row: tile.row[i],
    name: tile.name[i],
    startNs: tile.startNs[i],
    durNs: tile.durNs[i],
  };
}

/** What one pane's lane shows in a window, in time order, each event once. */
export function eventsOf(
  pane: Pane,
  index: number,
  track: number,
  lane: number,
  view: Viewport,
  width: number,
): Hit[] {
  const local = pane.local(view);
  const segments = pane.store.cover(track, levelFor(nsPerPixel(view, width)), local.beginNs, local.endNs);
  const hits: Hit[] = [];
  for (const segment of segments) {
    const { tile, beginNs, endNs } = segment;
    for (let i = tile.laneOffsets[lane] ?? 0; i < (tile.laneOffsets[lane + 1] ?? 0); i++) {
      const endsNs = tile.startNs[i] + tile.durNs[i];
      if (tile.startNs[i] >= endNs || endsNs < beginNs || tile.row[i] === hits[hits.length - 1]?.row)
        continue;
      hits.push(hitOf(segment, i, index, track, lane, tile.count[i]));
    }
  }
  return hits;
}

/** The window and a width to each side: what is usually held. */
function around(view: Viewport): Viewport {
  return { beginNs: view.beginNs - spanOf(view), endNs: view.endNs + spanOf(view) };
}

/** The event before (-1) or after (+1) `from` on its lane; null at the end of what is held. */
export function beside(pane: Pane, from: Hit, direction: 1 | -1, view: Viewport, width: number): Hit | null {
  const local = { ...around(view) };
  const hits = eventsOf(pane, from.pane, from.track, from.lane, local, width * 3);
  if (direction > 0) return hits.find((hit) => hit.startNs > from.startNs && hit.row !== from.row) ?? null;
  return hits.findLast((hit) => hit.startNs < from.startNs && hit.row !== from.row) ?? null;
}

/** The event one lane up (-1) or down (+1), or on the track beyond: the nearest in time to `from`'s start. */
export function acrossLanes(
  pane: Pane,
  from: Hit,
  direction: 1 | -1,
  view: Viewport,
  width: number,
): Hit | null {
  const rows = pane.rows.filter((row) => row.kind === 'track');
  let at = rows.findIndex((row) => row.track === from.track);
  let lane = from.lane + direction;
  while (at >= 0 && at < rows.length) {
    if (lane < 0 || lane >= rows[at].lanes) {
      at += direction;
      lane = direction > 0 ? 0 : (rows[at]?.lanes ?? 0) - 1;
      continue;
    }
    const hits = eventsOf(pane, from.pane, rows[at].track, lane, view, width);
    if (hits.length) return nearest(hits, from.startNs);
    lane += direction;
  }
  return null;
}

/** The event that covers `timeNs`, else the one whose edge is closest. */
export function nearest(hits: readonly Hit[], timeNs: number): Hit {
  const distance = (hit: Hit) => Math.max(0, hit.startNs - timeNs, timeNs - hit.startNs - hit.durNs);
  return hits.reduce((best, hit) => (distance(hit) < distance(best) ? hit : best));
}

/** Device pixels [x0, x1) of an event. */
export function pixelsOf(pane: Pane, hit: Hit, view: Viewport, width: number): [number, number] {
  const scale = pane.scale(view, width);
  const x0 = pixelOf(scale, hit.startNs);
  return [x0, rightEdge(scale, hit.startNs + hit.durNs, x0)];
}
