import { describe, expect, it } from 'vitest';
import { offsetAt, referenceSteps } from '../src/diff/align';
import { acrossLanes, beside, eventsOf, hitAt } from '../src/engine/cursor';
import { minimapExtent } from '../src/engine/minimap';
import { Pane } from '../src/engine/pane';
import { laneY } from '../src/engine/rows';
import { TileStore } from '../src/tiles/store';
import type { Layout, StepPair } from '../src/transport/api';
import { formatState, parseState } from '../src/viewer/url';
import { columns, type Slice } from './lanes';

function step(trace: number, a: [number, number], b: [number, number]): StepPair {
  return { trace, rank: trace, name: 'ProfilerStep', a, b, error_percent: 0 };
}

describe('the alignment of two runs', () => {
  const steps = [step(1, [5, 90], [6, 80]), step(0, [200, 300], [150, 240]), step(0, [100, 200], [90, 150])];
  const reference = referenceSteps(steps);

  it('lets the step under the middle start together in both', () => {
    expect(reference.map(({ a }) => a[0])).toEqual([100, 200]);
    expect(offsetAt(reference, 150, 0)).toBe(-10);
    expect(offsetAt(reference, 200, 0)).toBe(-50);
    expect(offsetAt(reference, 9999, 0)).toBe(-50);
    expect(offsetAt(reference, 0, 0)).toBe(-10);
  });

  it('lets runs without steps start together', () => {
    expect(offsetAt(referenceSteps([]), 150, 7)).toBe(7);
  });
});

describe('the address', () => {
  it('gives back what it was given, and keeps what it does not know', () => {
    const state = {
      view: { beginNs: -14_580_619, endNs: 743_611_595 },
      selected: { pane: 1, trace: 0, row: 4608 },
      axis: 'absolute',
    };
    const search = formatState(state, '?mine=1');
    expect(search).toContain('mine=1');
    expect(parseState(search)).toEqual(state);
    expect(formatState({ view: null, selected: null, axis: null }, search)).toBe('?mine=1');
  });

  it.each([
    '',
    '?from=1',
    '?from=9&to=3',
    '?from=a&to=b',
    '?event=1',
    '?event=-1.2',
    '?event=1.x',
    '?from=1e9&to=2e9',
  ])('takes nothing from what is not its own: %s', (search) => {
    expect(parseState(search)).toEqual({ view: null, selected: null, axis: null });
  });
});

const LAYOUT: Layout = {
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
  tracks: ['main thread', 'stream 7'].map((name) => ({
    trace: 0,
    kind: 'thread',
    group: 'python',
    name,
    lanes: 2,
    events: 4,
    begin_ns: 0,
    end_ns: 1024,
  })),
  steps: [],
  overview: { level: 0, tracks: [[0]] },
};
const MAIN: Slice[] = [
  { startNs: 100, durNs: 200, row: 0, lane: 0 },
  { startNs: 400, durNs: 100, row: 1, lane: 0 },
  { startNs: 110, durNs: 50, row: 2, lane: 1 },
];
const STREAM: Slice[] = [{ startNs: 420, durNs: 10, row: 9, lane: 0 }];
const VIEW = { beginNs: 0, endNs: 1024 };
const WIDTH = 1024;

function pane(): Pane {
  const store = new TileStore();
  store.put(0, 0, 0, columns(MAIN));
  store.put(1, 0, 0, columns(STREAM));
  return new Pane({ layout: LAYOUT, store, names: { of: () => 'name' }, title: '', note: '' });
}

describe('the cursor', () => {
  const shown = pane();
  const row = shown.rows.find(({ key }) => key === 't0')!;
  const at = (x: number, lane: number) => hitAt(shown, 0, row, laneY(row, lane) + 3, x, VIEW, WIDTH, 1);

  it('finds the event under the mouse, near misses too', () => {
    expect(at(150, 0)).toMatchObject({ row: 0, lane: 0, startNs: 100, durNs: 200, track: 0 });
    expect(at(98, 0)?.row).toBe(0);
    expect(at(97, 0)).toBeNull();
    expect(at(120, 1)?.row).toBe(2);
    expect(at(600, 1)).toBeNull();
  });

  it('goes along a lane and across lanes, on to the next track', () => {
    const first = at(150, 0)!;
    const second = beside(shown, first, 1, VIEW, WIDTH)!;
    expect(second.row).toBe(1);
    expect(beside(shown, second, -1, VIEW, WIDTH)?.row).toBe(0);
    expect(beside(shown, first, -1, VIEW, WIDTH)).toBeNull();
    const inner = acrossLanes(shown, first, 1, VIEW, WIDTH)!;
    expect(inner.row).toBe(2);
    expect(acrossLanes(shown, inner, 1, VIEW, WIDTH)?.row).toBe(9);
    expect(acrossLanes(shown, first, -1, VIEW, WIDTH)).toBeNull();
  });

  it('follows a pane that is shifted on the axis', () => {
    const shifted = pane();
    shifted.offsetNs = 100; // its 150 is drawn at the axis's 50
    const hit = hitAt(shifted, 0, row, laneY(row, 0) + 3, 50, VIEW, WIDTH, 1);
    expect(hit?.row).toBe(0);
    expect(shifted.find(0, 0, VIEW, WIDTH)).toMatchObject({ x0: 0, x1: 200, lane: 0 });
    expect(shifted.find(0, 77, VIEW, WIDTH)).toBeNull();
    expect(eventsOf(shifted, 0, 0, 0, VIEW, WIDTH).map((event) => event.row)).toEqual([0, 1]);
  });
});

describe('the minimap', () => {
  it('shows the busy part until the window leaves it', () => {
    const [dense, whole] = [
      { beginNs: 100, endNs: 200 },
      { beginNs: 0, endNs: 1e9 },
    ];
    expect(minimapExtent({ beginNs: 98, endNs: 150 }, dense, whole)).toBe(dense);
    expect(minimapExtent({ beginNs: 50, endNs: 150 }, dense, whole)).toBe(whole);
  });
});
