// Lanes for tests: events, tiles cut from them as the server cuts them, and a slow reading of the raster's rule.

import type { TileColumns } from '../src/tiles/decode';
import { tileRange, tileSpanNs } from '../src/tiles/geometry';
import type { Segment } from '../src/tiles/store';

export interface Slice {
  startNs: number;
  durNs: number;
  row: number;
  name?: number;
  count?: number;
  colour?: number;
  lane?: number;
}

/** A small deterministic generator (mulberry32), so that a failure can be repeated by its seed. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

/** Slices of one lane that do not overlap: some touch, some are instants, lengths differ by orders of magnitude. */
export function randomLane(below: (n: number) => number, count: number): Slice[] {
  const slices: Slice[] = [];
  let at = below(50);
  for (let row = 0; row < count; row++) {
    const durNs = below(5) === 0 ? 0 : below(10 ** (1 + below(4)));
    slices.push({ startNs: at, durNs, row, colour: below(24), count: below(4) === 0 ? 1 + below(100) : 1 });
    at += durNs + (below(3) === 0 ? 0 : below(10 ** (1 + below(3))));
  }
  return slices;
}

export function columns(slices: readonly Slice[]): TileColumns {
  const sorted = [...slices].sort((a, b) => (a.lane ?? 0) - (b.lane ?? 0) || a.startNs - b.startNs);
  const lanes = sorted.length ? (sorted[sorted.length - 1].lane ?? 0) + 1 : 0;
  const laneOffsets = Uint32Array.from(
    { length: lanes + 1 },
    (_, lane) => sorted.filter((slice) => (slice.lane ?? 0) < lane).length,
  );
  return {
    n: sorted.length,
    startNs: Float64Array.from(sorted, (slice) => slice.startNs),
    durNs: Float64Array.from(sorted, (slice) => slice.durNs),
    name: Uint32Array.from(sorted, (slice) => slice.name ?? 0),
    row: Uint32Array.from(sorted, (slice) => slice.row),
    count: Uint32Array.from(sorted, (slice) => slice.count ?? 1),
    colour: Uint8Array.from(sorted, (slice) => slice.colour ?? 0),
    laneOffsets,
    bytes: sorted.length * 29,
  };
}

/** What a tile holds of a lane: what starts in it, and what reaches into it (standing for itself only). */
export function tileOf(slices: readonly Slice[], beginNs: number, endNs: number): TileColumns {
  const own = slices.filter(({ startNs }) => startNs >= beginNs && startNs < endNs);
  const carried = slices.filter(({ startNs, durNs }) => startNs < beginNs && startNs + durNs > beginNs);
  return columns([...carried.map((slice) => ({ ...slice, count: 1 })), ...own]);
}

/** The lane cut into tiles of a level. */
export function cutIntoTiles(
  slices: readonly Slice[],
  level: number,
  beginNs: number,
  endNs: number,
): Segment[] {
  const range = tileRange(beginNs, endNs, level);
  const spanNs = tileSpanNs(level);
  const segments: Segment[] = [];
  for (let index = range?.first ?? 0; index <= (range?.last ?? -1); index++) {
    const [from, to] = [index * spanNs, (index + 1) * spanNs];
    segments.push({ tile: tileOf(slices, from, to), beginNs: from, endNs: to });
  }
  return segments;
}
