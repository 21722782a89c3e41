import { describe, expect, it } from 'vitest';
import { type Notes, ownerAt, type Palette, rasterLane, type Scale, spansOfName } from '../src/engine/raster';
import type { Segment } from '../src/tiles/store';
import { columns, cutIntoTiles, random, randomLane, type Slice } from './lanes';

const SOLID = 1000;
const MERGED = 2000;
const PALETTE: Palette = {
  solid: Uint32Array.from({ length: 24 }, (_, i) => SOLID + i),
  merged: Uint32Array.from({ length: 24 }, (_, i) => MERGED + i),
};

function whole(slices: readonly Slice[]): Segment[] {
  return [{ tile: columns(slices), beginNs: 0, endNs: 2 ** 50 }];
}

function draw(segments: Segment[], scale: Scale, width: number, wideFrom = 1e9, lane = 0) {
  const pixels = new Uint32Array(width);
  const notes: Notes = { wide: [], instants: [] };
  rasterLane(pixels, 0, width, scale, segments, lane, PALETTE, wideFrom, notes);
  return { pixels: [...pixels], notes };
}

/** The rule, read slowly: per pixel, over all events. */
function oracle(slices: readonly Slice[], scale: Scale, width: number): number[] {
  const placed = slices.map((slice) => {
    const x0 = Math.floor((slice.startNs - scale.beginNs) / scale.nsPerPixel);
    const end = Math.floor((slice.startNs + slice.durNs - scale.beginNs) / scale.nsPerPixel);
    return { slice, x0, x1: Math.max(x0 + 1, end) };
  });
  return Array.from({ length: width }, (_, x) => {
    const starting = placed.filter(({ x0 }) => x0 === x);
    if (starting.length) {
      const longest = starting.reduce((a, b) => (b.slice.durNs > a.slice.durNs ? b : a));
      const count = starting.reduce((sum, { slice }) => sum + (slice.count ?? 1), 0);
      const isMerged = longest.x1 - longest.x0 === 1 && count > 1;
      return (isMerged ? MERGED : SOLID) + (longest.slice.colour ?? 0);
    }
    const covering = placed.find(({ x0, x1 }) => x0 < x && x < x1);
    if (!covering) return 0;
    const isGap = covering.x1 - covering.x0 >= 3 && x === covering.x1 - 1;
    return isGap ? 0 : SOLID + (covering.slice.colour ?? 0);
  });
}

describe('the raster', () => {
  it('draws a slice over its pixels and leaves the last one free', () => {
    const { pixels } = draw(
      whole([{ startNs: 20, durNs: 50, row: 0, colour: 3 }]),
      { beginNs: 0, nsPerPixel: 10 },
      10,
    );
    expect(pixels).toEqual([0, 0, 1003, 1003, 1003, 1003, 0, 0, 0, 0]);
  });

  it('draws the shortest slice one pixel wide, and two pixels without a gap', () => {
    const slices = [
      { startNs: 11, durNs: 1, row: 0 },
      { startNs: 30, durNs: 20, row: 1 },
      { startNs: 50, durNs: 0, row: 2, colour: 1 },
    ];
    const { pixels } = draw(whole(slices), { beginNs: 0, nsPerPixel: 10 }, 7);
    expect(pixels).toEqual([0, 1000, 0, 1000, 1000, 1001, 0]);
  });

  it('shows the longest of those that share a pixel, paler', () => {
    const slices = [
      { startNs: 10, durNs: 2, row: 0, colour: 1 },
      { startNs: 13, durNs: 4, row: 1, colour: 2 },
      { startNs: 18, durNs: 1, row: 2, colour: 3 },
    ];
    expect(draw(whole(slices), { beginNs: 0, nsPerPixel: 10 }, 3).pixels).toEqual([0, 2002, 0]);
  });

  it('keeps the colour of a wide slice that stands for short ones in its first pixel', () => {
    const slices = [{ startNs: 10, durNs: 40, row: 0, colour: 4, count: 137 }];
    expect(draw(whole(slices), { beginNs: 0, nsPerPixel: 10 }, 6).pixels).toEqual([
      0, 1004, 1004, 1004, 0, 0,
    ]);
  });

  it('clips at both edges of the window', () => {
    const slices = [{ startNs: 0, durNs: 1000, row: 0 }];
    expect(draw(whole(slices), { beginNs: 500, nsPerPixel: 10 }, 4).pixels).toEqual([1000, 1000, 1000, 1000]);
  });

  it('draws only its lane', () => {
    const slices = [
      { startNs: 0, durNs: 30, row: 0, lane: 0, colour: 1 },
      { startNs: 0, durNs: 20, row: 1, lane: 2, colour: 2 },
    ];
    const scale = { beginNs: 0, nsPerPixel: 10 };
    expect(draw(whole(slices), scale, 3, 1e9, 2).pixels).toEqual([1002, 1002, 0]);
    expect(draw(whole(slices), scale, 3, 1e9, 1).pixels).toEqual([0, 0, 0]);
    expect(draw(whole(slices), scale, 3, 1e9, 7).pixels).toEqual([0, 0, 0]);
  });

  it('notes a wide slice once though several tiles hold it, and instants', () => {
    const slices = [
      { startNs: 100, durNs: 5000, row: 0 },
      { startNs: 5200, durNs: 0, row: 1 },
    ];
    const { notes } = draw(cutIntoTiles(slices, 0, 0, 6000), { beginNs: 0, nsPerPixel: 4 }, 1500, 100);
    expect(notes.wide.map(({ x0, x1 }) => [x0, x1])).toEqual([[25, 1275]]);
    expect(notes.instants.map(({ x0 }) => x0)).toEqual([1300]);
  });

  it('draws a tile only within its part of the axis', () => {
    const coarse = columns([{ startNs: 500, durNs: 1500, row: 0, colour: 1 }]);
    const finer = columns([{ startNs: 600, durNs: 100, row: 1, colour: 2 }]);
    const segments = [
      { tile: finer, beginNs: 0, endNs: 1000 },
      { tile: coarse, beginNs: 1000, endNs: 2000 },
    ];
    const { pixels } = draw(segments, { beginNs: 500, nsPerPixel: 100 }, 12);
    expect(pixels).toEqual([0, 1002, 0, 0, 0, ...Array(7).fill(1001)]);
  });

  it.each(Array.from({ length: 150 }, (_, seed) => seed))('agrees with the slow rule, seed %i', (seed) => {
    const below = random(seed);
    const slices = randomLane(below, 1 + below(120));
    const endNs = slices[slices.length - 1].startNs + 2000;
    const nsPerPixel = 1 + below(400) / (1 + below(20));
    const scale = { beginNs: below(endNs), nsPerPixel };
    const width = 1 + below(300);
    expect(draw(whole(slices), scale, width).pixels).toEqual(oracle(slices, scale, width));
  });

  it.each(Array.from({ length: 150 }, (_, seed) => seed))('shows no seams between tiles, seed %i', (seed) => {
    const below = random(1000 + seed);
    const slices = randomLane(below, 1 + below(200));
    const endNs = slices[slices.length - 1].startNs + 3000;
    const scale = { beginNs: below(endNs), nsPerPixel: 1 + below(300) / (1 + below(20)) };
    const width = 1 + below(400);
    const viewEndNs = scale.beginNs + width * scale.nsPerPixel;
    const segments = cutIntoTiles(slices, below(3), scale.beginNs, viewEndNs);
    expect(draw(segments, scale, width).pixels).toEqual(oracle(slices, scale, width));
  });

  it.each(Array.from({ length: 60 }, (_, seed) => seed))('says who owns each pixel, seed %i', (seed) => {
    const below = random(2000 + seed);
    const slices = randomLane(below, 1 + below(150));
    const endNs = slices[slices.length - 1].startNs + 3000;
    const scale = { beginNs: below(endNs), nsPerPixel: 1 + below(200) / (1 + below(20)) };
    const width = 1 + below(200);
    const segments = cutIntoTiles(slices, below(3), scale.beginNs, scale.beginNs + width * scale.nsPerPixel);
    const { pixels } = draw(segments, scale, width);
    for (let x = 0; x < width; x++) {
      const owner = ownerAt(scale, segments, 0, x);
      if (pixels[x] === 0) {
        // A free pixel has no owner, or is the gap that belongs to the slice before it.
        if (owner) expect(owner.placed.x1 - 1).toBe(x);
        continue;
      }
      expect(owner).not.toBeNull();
      const isMerged = owner!.placed.x1 - owner!.placed.x0 === 1 && owner!.count > 1;
      expect(pixels[x]).toBe((isMerged ? MERGED : SOLID) + owner!.placed.tile.colour[owner!.placed.index]);
    }
  });
});

describe('the events of one name', () => {
  /** Read slowly: the pixels that any of them covers. */
  function covered(slices: readonly Slice[], scale: Scale, width: number, name: number): boolean[] {
    const pixels = new Array<boolean>(width).fill(false);
    for (const slice of slices.filter((one) => one.name === name)) {
      const x0 = Math.floor((slice.startNs - scale.beginNs) / scale.nsPerPixel);
      const x1 = Math.floor((slice.startNs + slice.durNs - scale.beginNs) / scale.nsPerPixel);
      for (let x = Math.max(0, x0); x < Math.min(width, Math.max(x0 + 1, x1)); x++) pixels[x] = true;
    }
    return pixels;
  }

  it.each(Array.from({ length: 40 }, (_, seed) => seed))('it finds them all, seed %i', (seed) => {
    const below = random(seed);
    const slices = randomLane(below, 1 + below(60)).map((slice) => ({ ...slice, name: below(3) }));
    const end = slices[slices.length - 1]!.startNs + slices[slices.length - 1]!.durNs + 1;
    const scale = { beginNs: below(end), nsPerPixel: 1 + below(50) };
    const width = 1 + below(200);
    const window = scale.beginNs + width * scale.nsPerPixel;
    const seen = slices.filter(({ startNs, durNs }) => startNs < window && startNs + durNs >= scale.beginNs);
    const found = new Array<boolean>(width).fill(false);
    const spans = spansOfName(scale, width, whole(slices), 0, 1);
    for (const [x0, x1] of spans) found.fill(true, x0, x1);
    expect(found).toEqual(covered(seen, scale, width, 1));
    spans.forEach(([x0], i) => {
      if (i) expect(x0).toBeGreaterThan(spans[i - 1]![1]); // joined where they touch
    });
  });

  it('it counts an event once that reaches into the next tile', () => {
    const slices = [{ startNs: 10, durNs: 2000, row: 0, name: 1 }];
    const tiles = cutIntoTiles(slices, 0, 0, 4096);
    expect(spansOfName({ beginNs: 0, nsPerPixel: 10 }, 400, tiles, 0, 1)).toEqual([[1, 201]]);
    expect(spansOfName({ beginNs: 0, nsPerPixel: 10 }, 400, tiles, 0, 2)).toEqual([]);
    expect(spansOfName({ beginNs: 0, nsPerPixel: 10 }, 400, tiles, 7, 1)).toEqual([]);
  });
});
