// The scanline raster: a timeline is one-dimensional, so a lane is one row of pixels, stretched when it is drawn.
// Pure functions from tiles to pixels.
//
// What a pixel shows: of the events that start in it the longest (the first of equals); else the event that covers
// it; else nothing. An event is at least one pixel wide; from three pixels on its last one stays free, as a gap to
// its neighbour. One that is narrow and stands for several is drawn paler: an impression, not an event.

import type { TileColumns } from '../tiles/decode';
import type { Segment } from '../tiles/store';

/** 24 colours each, opaque 0xAABBGGRR: of events, and of narrow ones that stand for several. */
export interface Palette {
  readonly solid: Uint32Array;
  readonly merged: Uint32Array;
}

/** Time of the left edge of pixel 0, and the width of a pixel. */
export interface Scale {
  readonly beginNs: number;
  readonly nsPerPixel: number;
}

/** An event and its pixels [x0, x1), not clipped by tiles or window. */
export interface Placed {
  readonly tile: TileColumns;
  readonly index: number;
  readonly x0: number;
  readonly x1: number;
}

/** What is drawn over the pixels: events wide enough for text, and instants, each once. */
export interface Notes {
  readonly wide: Placed[];
  readonly instants: Placed[];
}

const GAP_FROM = 3;
const NOWHERE = Number.NEGATIVE_INFINITY;

export function pixelOf(scale: Scale, timeNs: number): number {
  return Math.floor((timeNs - scale.beginNs) / scale.nsPerPixel);
}

/** Right edge of an event that begins in pixel `x0`: exclusive. */
export function rightEdge(scale: Scale, endNs: number, x0: number): number {
  return Math.max(x0 + 1, pixelOf(scale, endNs));
}

/** First entry of a lane that reaches `timeNs` or lies after it: slices of a lane do not overlap. */
export function firstReaching(tile: TileColumns, lane: number, timeNs: number): number {
  const first = tile.laneOffsets[lane];
  let low = first;
  let high = tile.laneOffsets[lane + 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (tile.startNs[middle] < timeNs) low = middle + 1;
    else high = middle;
  }
  return Math.max(first, low - 1);
}

/**
 * Draw one lane into pixels[offset .. offset + width), which must be clear (0); segments in time order.
 * Events of at least `wideFrom` pixels and instants are noted.
 */
export function rasterLane(
  pixels: Uint32Array,
  offset: number,
  width: number,
  scale: Scale,
  segments: readonly Segment[],
  lane: number,
  palette: Palette,
  wideFrom: number,
  notes: Notes,
): void {
  let wonX = NOWHERE; // the pixel that was won last by an event that starts in it, the winner, and all it stands for
  let wonDur = 0;
  let wonRow = -1;
  let wonCount = 0;
  let wonColour = 0;
  for (const { tile, beginNs, endNs } of segments) {
    if (lane + 1 >= tile.laneOffsets.length) continue;
    const { startNs, durNs, count, colour, row } = tile;
    const last = tile.laneOffsets[lane + 1];
    const left = Math.max(0, pixelOf(scale, beginNs));
    for (let i = firstReaching(tile, lane, Math.max(beginNs, scale.beginNs)); i < last; i++) {
      const x0 = pixelOf(scale, startNs[i]);
      if (startNs[i] >= endNs || x0 >= width) break;
      const x1 = rightEdge(scale, startNs[i] + durNs[i], x0);
      if (x1 <= left) continue;
      if (x0 === wonX) {
        if (row[i] === wonRow) continue; // seen: carried into the next tile
        wonCount += count[i];
        if (durNs[i] <= wonDur) {
          pixels[offset + x0] = palette.merged[wonColour];
          continue;
        }
      } else {
        wonCount = count[i];
      }
      wonX = x0;
      wonDur = durNs[i];
      wonRow = row[i];
      wonColour = colour[i];
      const isMerged = x1 - x0 === 1 && wonCount > 1;
      const ink = (isMerged ? palette.merged : palette.solid)[wonColour];
      const end = Math.min(width, x1 - x0 >= GAP_FROM ? x1 - 1 : x1);
      const begin = Math.max(left, x0);
      if (end - begin === 1) pixels[offset + begin] = ink;
      else if (end > begin) pixels.fill(ink, offset + begin, offset + end);
      if (x1 - x0 >= wideFrom) note(notes.wide, tile, i, x0, x1);
      else if (durNs[i] === 0) note(notes.instants, tile, i, x0, x1);
    }
  }
}

function note(placed: Placed[], tile: TileColumns, index: number, x0: number, x1: number): void {
  const before = placed[placed.length - 1];
  if (before && before.tile.row[before.index] === tile.row[index]) return;
  placed.push({ tile, index, x0, x1 });
}

/** Pixels [x0, x1) within [0, width) of a lane's entries of one name, from left to right, joined where they touch. */
export function spansOfName(
  scale: Scale,
  width: number,
  segments: readonly Segment[],
  lane: number,
  name: number,
): [number, number][] {
  const spans: [number, number][] = [];
  for (const { tile, beginNs, endNs } of segments) {
    if (lane + 1 >= tile.laneOffsets.length) continue;
    const last = tile.laneOffsets[lane + 1];
    for (let i = firstReaching(tile, lane, Math.max(beginNs, scale.beginNs)); i < last; i++) {
      const x0 = pixelOf(scale, tile.startNs[i]);
      if (tile.startNs[i] >= endNs || x0 >= width) break;
      if (tile.name[i] === name)
        join(spans, x0, rightEdge(scale, tile.startNs[i] + tile.durNs[i], x0), width);
    }
  }
  return spans;
}

function join(spans: [number, number][], x0: number, x1: number, width: number): void {
  const [begin, end] = [Math.max(0, x0), Math.min(width, x1)];
  if (end <= begin) return;
  const before = spans[spans.length - 1];
  if (before && begin <= before[1]) before[1] = Math.max(before[1], end);
  else spans.push([begin, end]);
}

/** What pixel `x` of a lane shows, by the raster's rule, and for how many events that pixel stands; null if free. */
export function ownerAt(
  scale: Scale,
  segments: readonly Segment[],
  lane: number,
  x: number,
): { placed: Placed; count: number } | null {
  let covering: Placed | null = null;
  let starting: Placed | null = null;
  let count = 0;
  const seen = new Set<number>();
  for (const { tile, beginNs, endNs } of segments) {
    if (lane + 1 >= tile.laneOffsets.length) continue;
    if (pixelOf(scale, beginNs) > x || pixelOf(scale, endNs) < x) continue;
    const from = Math.max(beginNs, scale.beginNs + (x - 1) * scale.nsPerPixel);
    for (let i = firstReaching(tile, lane, from); i < tile.laneOffsets[lane + 1]; i++) {
      const x0 = pixelOf(scale, tile.startNs[i]);
      if (tile.startNs[i] >= endNs || x0 > x) break;
      const x1 = rightEdge(scale, tile.startNs[i] + tile.durNs[i], x0);
      const placed = { tile, index: i, x0, x1 };
      if (x0 < x && x < x1) covering = placed;
      if (x0 !== x || seen.has(tile.row[i])) continue;
      seen.add(tile.row[i]);
      count += tile.count[i];
      if (!starting || tile.durNs[i] > starting.tile.durNs[starting.index]) starting = placed;
    }
  }
  if (starting) return { placed: starting, count };
  return covering && { placed: covering, count: covering.tile.count[covering.index] };
}
