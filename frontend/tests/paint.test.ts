import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { arrange } from '../src/engine/frame';
import { Strip } from '../src/engine/lanes';
import { paint } from '../src/engine/paint';
import { Pane } from '../src/engine/pane';
import { laneY, SLICE_HEIGHT } from '../src/engine/rows';
import type { Scene } from '../src/engine/scene';
import { TextFitter } from '../src/engine/text';
import { buildTheme } from '../src/engine/theme';
import { TileStore } from '../src/tiles/store';
import type { Layout } from '../src/transport/api';
import { columns, random, type Slice } from './lanes';

const CHARACTER = 6;
type Call = [name: string, ...args: unknown[]];

/** A 2D context that writes down what it is told. */
function recorder(calls: Call[]): CanvasRenderingContext2D {
  const state: Record<string, unknown> = {};
  return new Proxy(state, {
    get: (_, name: string) => {
      if (name === 'measureText') return (text: string) => ({ width: CHARACTER * text.length });
      if (name === 'createImageData') {
        return (width: number, height: number) => ({ data: new Uint8ClampedArray(4 * width * height) });
      }
      return name in state ? state[name] : (...args: unknown[]) => calls.push([name, ...args]);
    },
    set: (_, name: string, value) => {
      state[name] = value;
      return true;
    },
  }) as unknown as CanvasRenderingContext2D;
}

beforeEach(() => {
  vi.stubGlobal('document', {
    createElement: () => ({ getContext: () => recorder([]), width: 0, height: 0 }),
  });
});
afterEach(() => vi.unstubAllGlobals());

const theme = buildTheme((name) => (name === '--font' ? 'sans' : '#123456'));

function layoutOf(lanes: number): Layout {
  return {
    run: 'r',
    kind: 'measured',
    version: '1',
    clock: 'recorded',
    placed: 'recorded',
    placing: [],
    base_ns: '0',
    span: [0, 1024],
    view: [0, 1024],
    traces: [{ index: 0, rank: 0, label: 'rank 0', clock: null }],
    tracks: [
      {
        trace: 0,
        kind: 'thread',
        group: 'python',
        name: 'main thread',
        lanes,
        events: 1,
        begin_ns: 0,
        end_ns: 1024,
      },
    ],
    steps: [{ trace: 0, name: 'ProfilerStep#1', begin_ns: 300, end_ns: 900 }],
    overview: { level: 0, tracks: [[0]] },
  };
}

function sceneOf(
  slices: readonly Slice[],
  lanes: number,
  calls: Call[],
  names: string,
  over: Partial<Scene> = {},
): Scene {
  const store = new TileStore();
  store.put(0, 0, 0, columns(slices));
  const pane = new Pane({ layout: layoutOf(lanes), store, names: { of: () => names }, title: '', note: '' });
  const frame = arrange(1224, 600, 1, 1);
  const view = { beginNs: 0, endNs: 1024 };
  return {
    context: recorder(calls),
    frame,
    ratio: 1,
    timeWidth: frame.time,
    view,
    minimapView: view,
    scroll: 0,
    panes: [pane],
    theme,
    fitter: new TextFitter(() => CHARACTER),
    hover: [],
    kin: [],
    selected: [],
    range: null,
    mouseX: null,
    formatDuration: (ns) => `${ns} ns`,
    ...over,
  };
}

/** Texts written into the slices of the one track, as [left, right, y]. */
function texts(scene: Scene, calls: Call[]): [number, number, number][] {
  const top = scene.frame.panes[0].top;
  const row = scene.panes[0].rows[2];
  return calls.flatMap(([name, text, x, y]) =>
    name === 'fillText' && Number(x) >= scene.frame.labels && Number(y) >= top + row.y
      ? [[Number(x), Number(x) + CHARACTER * String(text).length, Number(y)] as [number, number, number]]
      : [],
  );
}

describe('a picture', () => {
  it('draws each lane in its place', () => {
    const calls: Call[] = [];
    const scene = sceneOf([{ startNs: 0, durNs: 1000, row: 0 }], 3, calls, 'aten::add');
    paint(scene, new Strip());
    const row = scene.panes[0].rows[2];
    const images = calls.filter(([name]) => name === 'drawImage');
    const places = images.map(([, , ...numbers]) => numbers.slice(4));
    for (let lane = 0; lane < 3; lane++) {
      const y = scene.frame.panes[0].top + laneY(row, lane);
      expect(places).toContainEqual([scene.frame.labels, y, scene.frame.time, SLICE_HEIGHT]);
    }
  });

  it('underlines the events of a name, and no others', () => {
    const slices = [
      { startNs: 100, durNs: 200, row: 0, name: 4 },
      { startNs: 400, durNs: 100, row: 1, name: 5 },
      { startNs: 600, durNs: 50, row: 2, name: 4 },
    ];
    const calls: Call[] = [];
    const scene = sceneOf(slices, 1, calls, 'gemm', { kin: [4] });
    paint(scene, new Strip());
    const bottom = scene.frame.panes[0].top + laneY(scene.panes[0].rows[2], 0) + SLICE_HEIGHT;
    const lines = calls.filter(
      ([name, , y, , height]) => name === 'fillRect' && Number(y) + Number(height) === bottom,
    );
    const nsPerPixel = 1024 / scene.timeWidth;
    const at = (ns: number) => scene.frame.labels + Math.floor(ns / nsPerPixel);
    expect(lines.map(([, x]) => x)).toEqual([at(100), at(600)]);
  });

  it('writes name and duration into a wide slice, and nothing before its name is known', () => {
    const slices = [{ startNs: 100, durNs: 800, row: 0 }];
    const calls: Call[] = [];
    paint(sceneOf(slices, 1, calls, 'aten::add'), new Strip());
    const written = calls.filter(([name]) => name === 'fillText').map(([, text]) => text);
    expect(written).toContain('aten::add');
    expect(written).toContain('800 ns');
    const silent: Call[] = [];
    const scene = sceneOf(slices, 1, silent, '');
    paint(scene, new Strip());
    expect(texts(scene, silent)).toEqual([]);
  });

  it('keeps the name of a slice that begins before the window in sight', () => {
    const calls: Call[] = [];
    const view = { beginNs: 600, endNs: 1000 };
    const scene = sceneOf([{ startNs: 0, durNs: 1000, row: 0 }], 1, calls, 'aten::add', { view });
    paint(scene, new Strip());
    const [left] = texts(scene, calls)[0];
    expect(left).toBeGreaterThanOrEqual(scene.frame.labels);
    expect(left).toBeLessThan(scene.frame.labels + 10);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'writes no text over another or out of its slice, seed %i',
    (seed) => {
      const below = random(seed);
      const slices: Slice[] = [];
      for (let lane = 0; lane < 3; lane++) {
        for (let at = below(40); at < 1000; ) {
          const durNs = 1 + below(10 ** (1 + below(3)));
          slices.push({ startNs: at, durNs, row: slices.length, lane });
          at += durNs + below(3);
        }
      }
      const calls: Call[] = [];
      const name = 'n'.repeat(1 + below(60));
      const scene = sceneOf(slices, 3, calls, name);
      paint(scene, new Strip());
      const row = scene.panes[0].rows[2];
      const found = texts(scene, calls);
      const byPlace = found.sort(([a, , ya], [b, , yb]) => ya - yb || a - b);
      for (let i = 1; i < byPlace.length; i++) {
        if (byPlace[i][2] === byPlace[i - 1][2])
          expect(byPlace[i][0]).toBeGreaterThanOrEqual(byPlace[i - 1][1]);
      }
      for (const [left, right, y] of found) {
        const home = slices.find(({ startNs, durNs, lane = 0 }) => {
          const slot = scene.frame.panes[0].top + laneY(row, lane);
          const [x0, x1] = [startNs, startNs + durNs].map(
            (ns) => scene.frame.labels + (ns / 1024) * scene.frame.time,
          );
          return y > slot && y < slot + SLICE_HEIGHT && left >= x0 - 1 && right <= x1 + 1;
        });
        expect(home).toBeDefined();
      }
    },
  );

  it('outlines a selected event that has no rectangle of its own by its times', () => {
    const calls: Call[] = [];
    const mark = { track: 0, row: 99, lane: 1, startNs: 512, durNs: 256 };
    const scene = sceneOf([{ startNs: 0, durNs: 10, row: 0 }], 2, calls, 'x', { selected: [mark] });
    paint(scene, new Strip());
    const outline = calls
      .filter(([name, , , , height]) => name === 'strokeRect' && height === SLICE_HEIGHT + 2)
      .pop()!;
    expect(outline[1]).toBe(scene.frame.labels + 512 - 1);
    expect(outline[3]).toBe(257);
  });
});
