// Which tiles a viewport lacks, most urgent first.

import { levelFor, TILE_PIXELS, tileRange, topLevelFor } from './geometry';
import type { TileStore } from './store';

export interface TileNeed {
  level: number;
  index: number;
  tracks: number[];
}

export interface TrackExtent {
  begin_ns: number;
  end_ns: number;
}

export interface Wanted {
  beginNs: number;
  endNs: number;
  devicePixels: number;
  tracks: readonly number[]; // on the screen
  nearTracks: readonly number[]; // a screen above and below
  overview: readonly { level: number; tracks: readonly number[] }[]; // of the whole run, for the minimap
  extents: readonly TrackExtent[]; // of every track: nothing is asked for outside
  endOfRunNs: number;
}

const TRACKS_AT_ONCE = 64; // the server takes 512; smaller answers show sooner
const COARSE_PIXELS = TILE_PIXELS / 2; // a first picture of the whole run holds between 512 and 1024 pixels

/** Coarse tiles of what is seen, the minimap's, sharp ones of what is seen, one width to each side, coarse ones of near rows. */
export function needsOf(wanted: Wanted, store: TileStore): TileNeed[] {
  const { beginNs, endNs, tracks } = wanted;
  const widthNs = endNs - beginNs;
  const level = levelFor(widthNs / Math.max(1, wanted.devicePixels));
  const coarse = Math.max(level, coarseLevel(wanted.endOfRunNs));
  const needs: TileNeed[] = [];
  const asked = new Set<string>();
  const ask = (at: number, from: number, to: number, of: readonly number[]) => {
    for (const need of missing(wanted, store, at, from, to, of)) {
      const fresh = need.tracks.filter((track) => !asked.has(`${track}/${at}/${need.index}`));
      for (const track of fresh) asked.add(`${track}/${at}/${need.index}`);
      if (fresh.length) needs.push({ ...need, tracks: fresh });
    }
  };
  ask(coarse, beginNs, endNs, tracks);
  for (const { level: at, tracks: of } of wanted.overview) ask(at, 0, wanted.endOfRunNs, of);
  ask(level, beginNs, endNs, tracks);
  ask(level, beginNs - widthNs, beginNs, tracks);
  ask(level, endNs, endNs + widthNs, tracks);
  ask(coarse, beginNs, endNs, wanted.nearTracks);
  return needs;
}

export function coarseLevel(endOfRunNs: number): number {
  return Math.max(0, topLevelFor((endOfRunNs * COARSE_PIXELS) / TILE_PIXELS));
}

function missing(
  wanted: Wanted,
  store: TileStore,
  level: number,
  beginNs: number,
  endNs: number,
  tracks: readonly number[],
): TileNeed[] {
  const range = tileRange(beginNs, Math.min(endNs, wanted.endOfRunNs), level);
  if (range === null || tracks.length === 0) return [];
  const needs: TileNeed[] = [];
  for (let index = range.first; index <= range.last; index++) {
    const lacking = tracks.filter(
      (track) => touches(wanted.extents[track], level, index) && !store.has(track, level, index),
    );
    for (let at = 0; at < lacking.length; at += TRACKS_AT_ONCE) {
      needs.push({ level, index, tracks: lacking.slice(at, at + TRACKS_AT_ONCE) });
    }
  }
  return needs;
}

/** Whether a track has anything in a tile: an instant at its end counts. */
function touches(extent: TrackExtent, level: number, index: number): boolean {
  const spanNs = TILE_PIXELS * 2 ** level;
  return extent.begin_ns < (index + 1) * spanNs && extent.end_ns >= index * spanNs;
}
