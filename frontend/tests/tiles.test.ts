import { describe, expect, it, vi } from 'vitest';
import { levelFor, TILE_PIXELS, tileRange, tileSpanNs, topLevelFor } from '../src/tiles/geometry';
import { Names } from '../src/tiles/names';
import { coarseLevel, needsOf, type Wanted } from '../src/tiles/needs';
import { TileStore } from '../src/tiles/store';
import { columns, random } from './lanes';

const TILE = columns([{ startNs: 0, durNs: 1, row: 0 }]);

describe('the level of a resolution', () => {
  it('has the widest pixels that are not wider than a device pixel', () => {
    for (const ns of [1, 1.5, 2, 3, 4, 7.99, 8, 1000, 2 ** 29, 2 ** 40 + 1]) {
      const level = levelFor(ns);
      expect(2 ** level).toBeLessThanOrEqual(ns);
      expect(2 ** (level + 1)).toBeGreaterThan(ns);
    }
    expect(levelFor(0.001)).toBe(0);
  });

  it('fits everything into one tile at the top', () => {
    expect(topLevelFor(TILE_PIXELS)).toBe(0);
    expect(topLevelFor(TILE_PIXELS + 1)).toBe(1);
    const end = 700_000_000;
    expect(tileSpanNs(topLevelFor(end))).toBeGreaterThanOrEqual(end);
    expect(coarseLevel(end)).toBe(topLevelFor(end) - 1);
  });

  it('counts a tile only if the window reaches into it', () => {
    expect(tileRange(0, 1024, 0)).toEqual({ first: 0, last: 0 });
    expect(tileRange(0, 1025, 0)).toEqual({ first: 0, last: 1 });
    expect(tileRange(-500, 10, 0)).toEqual({ first: 0, last: 0 });
    expect(tileRange(-500, 0, 0)).toBeNull();
    expect(tileRange(2 ** 50, 2 ** 50 + 1, 3)).toEqual({ first: 2 ** 37, last: 2 ** 37 });
  });
});

describe('the store', () => {
  it('prefers the sharp tile, then finer ones, then the nearest coarser one', () => {
    const store = new TileStore();
    const [top, sharp, left, right] = [TILE, { ...TILE }, { ...TILE }, { ...TILE }];
    const shown = () => store.cover(1, 4, 0, tileSpanNs(4)).map(({ tile }) => tile);
    expect(shown()).toEqual([]);
    store.put(1, 9, 0, top);
    expect(shown()[0]).toBe(top);
    store.put(1, 3, 0, left);
    expect(shown()[0]).toBe(top); // half of the finer ones is not enough
    store.put(1, 3, 1, right);
    expect(shown().map((tile) => [left, right].indexOf(tile as typeof left))).toEqual([0, 1]);
    store.put(1, 4, 0, sharp);
    expect(shown()[0]).toBe(sharp);
    expect(store.cover(2, 4, 0, 100)).toEqual([]);
  });

  it('leaves no hole and no overlap under a tile of the whole run, whatever else is held', () => {
    for (let seed = 0; seed < 60; seed++) {
      const below = random(seed);
      const store = new TileStore();
      store.put(0, 12, 0, TILE);
      for (let i = below(40); i > 0; i--) {
        const level = below(12);
        store.put(0, level, below(2 ** (12 - level)), TILE);
      }
      const level = below(12);
      const beginNs = below(tileSpanNs(12) - 1000);
      const endNs = Math.min(tileSpanNs(12), beginNs + 1 + below(8 * tileSpanNs(level)));
      const segments = store.cover(0, level, beginNs, endNs);
      expect(segments[0].beginNs).toBeLessThanOrEqual(beginNs);
      expect(segments[segments.length - 1].endNs).toBeGreaterThanOrEqual(endNs);
      for (let i = 1; i < segments.length; i++) expect(segments[i].beginNs).toBe(segments[i - 1].endNs);
    }
  });

  it('forgets what was used longest ago, and holds no more than it may', () => {
    const store = new TileStore(10_000);
    const big = { ...TILE, bytes: 2_000 };
    const message = (index: number) => {
      store.put(0, 5, index, big);
      store.add({ run: '', level: 5, index: 0, pane: 0, tiles: [] } as never);
    };
    for (let index = 0; index < 5; index++) message(index);
    store.get(0, 5, 0);
    message(5);
    expect(store.sizeBytes).toBeLessThanOrEqual(10_000);
    expect(store.has(0, 5, 0)).toBe(true);
    expect(store.has(0, 5, 1)).toBe(false);
    expect(store.has(0, 5, 5)).toBe(true);
  });
});

const WANTED: Wanted = {
  beginNs: 400_000_000,
  endNs: 401_000_000,
  devicePixels: 1000,
  tracks: [0, 1],
  nearTracks: [0, 1, 2],
  overview: [],
  extents: [
    { begin_ns: 0, end_ns: 700_000_000 },
    { begin_ns: 0, end_ns: 10 },
    { begin_ns: 0, end_ns: 700_000_000 },
  ],
  endOfRunNs: 700_000_000,
};

describe('what a window needs', () => {
  it('begins with the coarse picture, then the window, then a width to each side, then near rows', () => {
    const needs = needsOf(WANTED, new TileStore());
    expect(needs[0]).toEqual({ level: 19, index: 0, tracks: [0, 1] });
    expect(needs[needs.length - 1]).toEqual({ level: 19, index: 0, tracks: [2] });
    const sharp = needs.filter(({ level }) => level === 9);
    const inView = sharp.slice(0, 2).map(({ index }) => index);
    expect(inView).toEqual([762, 763].slice(0, inView.length));
    const covered = sharp.map(({ index }) => index * tileSpanNs(9));
    expect(Math.min(...covered)).toBeLessThanOrEqual(399_000_000);
    expect(Math.max(...covered) + tileSpanNs(9)).toBeGreaterThanOrEqual(402_000_000);
  });

  it('asks for nothing twice, nothing held, nothing where a track has no events', () => {
    const store = new TileStore();
    const all = needsOf(WANTED, store).flatMap(({ level, index, tracks }) =>
      tracks.map((track) => [track, level, index] as const),
    );
    expect(new Set(all.map(String)).size).toBe(all.length);
    expect(all.filter(([track]) => track === 1)).toEqual([[1, 19, 0]]); // it ends after 10 ns
    for (const [track, level, index] of all) store.put(track, level, index, TILE);
    expect(needsOf(WANTED, store)).toEqual([]);
  });

  it('asks for few tracks at a time', () => {
    const many = Array.from({ length: 150 }, (_, track) => track);
    const extents = many.map(() => WANTED.extents[0]);
    const needs = needsOf({ ...WANTED, tracks: many, nearTracks: [], extents }, new TileStore());
    expect(Math.max(...needs.map(({ tracks }) => tracks.length))).toBeLessThanOrEqual(64);
    expect(needs.slice(0, 3).flatMap(({ tracks }) => tracks)).toEqual(many);
  });
});

describe('names', () => {
  it('are fetched in batches, each once, and again after a failure', async () => {
    vi.useFakeTimers();
    const get = vi
      .fn()
      .mockRejectedValueOnce(new Error('away'))
      .mockImplementation(async (path: string) => {
        const codes = path.split('=')[1].split(',');
        return { names: Object.fromEntries(codes.map((code) => [code, `name ${code}`])) };
      });
    const arrived = vi.fn();
    const names = new Names('r', arrived, get);
    names.want(Uint32Array.from({ length: 700 }, (_, i) => i));
    names.want(Uint32Array.of(3, 4));
    await vi.advanceTimersByTimeAsync(100);
    expect(names.of(3)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(3000);
    expect(get).toHaveBeenCalledTimes(3);
    expect([names.of(0), names.of(699)]).toEqual(['name 0', 'name 699']);
    names.want(Uint32Array.of(3));
    await vi.advanceTimersByTimeAsync(3000);
    expect(get).toHaveBeenCalledTimes(3);
    expect(arrived).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });
});
