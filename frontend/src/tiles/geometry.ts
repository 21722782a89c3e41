// Where tiles lie: a pixel of level L is 2^L ns wide, a tile 1024 pixels. Times are integer ns below 2^53, so
// everything here is exact in a Number; shifts are not used because they are 32 bits wide.

export const TILE_PIXELS = 1024;
export const TOP_LEVEL = 43; // one tile of 2^53 ns

export function tileSpanNs(level: number): number {
  return TILE_PIXELS * 2 ** level;
}

export function tileIndex(timeNs: number, level: number): number {
  return Math.max(0, Math.floor(timeNs / tileSpanNs(level)));
}

/** The level whose pixels are the widest that are not wider than a device pixel: floor(log2(ns per pixel)). */
export function levelFor(nsPerPixel: number): number {
  let level = Math.max(0, Math.min(TOP_LEVEL, Math.floor(Math.log2(Math.max(1, nsPerPixel)))));
  if (2 ** level > nsPerPixel && level > 0) level -= 1; // log2 may round up at a power of two
  return level;
}

/** The first level at which the tile that holds `endNs` is the first one: everything fits one tile. */
export function topLevelFor(endNs: number): number {
  let level = 0;
  while (level < TOP_LEVEL && tileSpanNs(level) < endNs) level += 1;
  return level;
}

export interface TileRange {
  first: number;
  last: number;
}

/** Tiles of `level` that [beginNs, endNs) touches; null if it is empty or before time zero. */
export function tileRange(beginNs: number, endNs: number, level: number): TileRange | null {
  if (endNs <= Math.max(0, beginNs)) return null;
  const last = Math.max(0, Math.ceil(endNs / tileSpanNs(level)) - 1);
  return { first: tileIndex(beginNs, level), last };
}
