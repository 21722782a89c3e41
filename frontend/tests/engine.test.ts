import { describe, expect, it } from 'vitest';
import { tickStep, ticks } from '../src/engine/axis';
import { arrange, placeAt } from '../src/engine/frame';
import { COMMANDS, commandFor, Motion } from '../src/engine/keys';
import {
  buildRows,
  contentHeight,
  initiallyCollapsed,
  laneAt,
  laneY,
  rankKey,
  rowAt,
  rowsBetween,
  trackKey,
  trackName,
} from '../src/engine/rows';
import { TextFitter } from '../src/engine/text';
import { buildTheme, contrast, mix, pack, parseHex } from '../src/engine/theme';
import {
  centre,
  clamp,
  fit,
  pan,
  same,
  spanOf,
  toPixel,
  toTime,
  ViewHistory,
  zoom,
} from '../src/engine/viewport';
import type { Layout, TrackLayout } from '../src/transport/api';
import { random } from './lanes';

const BOUNDS = { beginNs: 0, endNs: 1_000_000_000 };

describe('the window', () => {
  it('keeps the time under the mouse in place while it zooms, to the nanosecond', () => {
    for (let seed = 0; seed < 200; seed++) {
      const below = random(seed);
      const beginNs = 200_000_000 + below(100_000_000);
      const view = { beginNs, endNs: beginNs + 10_000 + below(100_000_000) };
      const x = below(1400);
      const anchor = toTime(view, 1400, x);
      const closer = zoom(view, 0.2 + below(100) / 60, anchor, BOUNDS);
      expect(Number.isInteger(closer.beginNs) && Number.isInteger(closer.endNs)).toBe(true);
      const slipNs = Math.abs(toTime(closer, 1400, toPixel(view, 1400, anchor)) - anchor);
      expect(slipNs).toBeLessThanOrEqual(1);
    }
  });

  it('stays within the run and a small margin, and never gets shorter than can be shown', () => {
    for (let seed = 0; seed < 200; seed++) {
      const below = random(seed);
      let view = { beginNs: below(900_000_000), endNs: 900_000_000 + below(200_000_000) };
      for (let i = 0; i < 20; i++) {
        view = below(2)
          ? pan(view, below(2e9) - 1e9, BOUNDS)
          : zoom(view, 10 ** (below(7) - 3), below(1e9), BOUNDS);
        expect(view.beginNs).toBeGreaterThanOrEqual(-20_000_000);
        expect(view.endNs).toBeLessThanOrEqual(1_020_000_000);
        expect(spanOf(view)).toBeGreaterThanOrEqual(500);
      }
    }
  });

  it('pans without changing its span and stops at the end', () => {
    const view = { beginNs: 100, endNs: 10_100 };
    expect(pan(view, 5_000, BOUNDS)).toEqual({ beginNs: 5_100, endNs: 15_100 });
    expect(pan(view, 1e12, BOUNDS)).toEqual({ beginNs: 1_019_990_000, endNs: 1_020_000_000 });
  });

  it('fits an event with room, and centres one', () => {
    expect(fit(1_000, 2_000, BOUNDS)).toEqual({ beginNs: 900, endNs: 2_100 });
    const view = centre({ beginNs: 0, endNs: 1_000 }, 5_000, BOUNDS);
    expect(view).toEqual({ beginNs: 4_500, endNs: 5_500 });
    expect(same(clamp(view, BOUNDS), view)).toBe(true);
  });

  it('works for a run of one instant', () => {
    const point = { beginNs: 0, endNs: 0 };
    expect(spanOf(fit(0, 0, point))).toBeGreaterThanOrEqual(500);
  });

  it('goes back and forward, and forgets the way forward on a new way', () => {
    const [a, b, c] = [1, 2, 3].map((n) => ({ beginNs: n, endNs: n + 10 }));
    const history = new ViewHistory();
    history.leave(a);
    history.leave(a);
    history.leave(b);
    expect(history.back(c)).toBe(b);
    expect(history.back(b)).toBe(a);
    expect(history.back(a)).toBeNull();
    expect(history.forward(a)).toBe(b);
    history.leave(b);
    expect(history.forward(a)).toBeNull();
  });
});

describe('the axis', () => {
  it('has ticks of 1, 2 or 5 that are far enough apart', () => {
    for (let seed = 0; seed < 100; seed++) {
      const below = random(seed);
      const view = { beginNs: below(1e9), endNs: 1e9 + 1 + below(10 ** (1 + below(9))) };
      const step = tickStep(view, 1200, 96);
      expect('125').toContain(String(step)[0]);
      if (step > 1) expect((step / spanOf(view)) * 1200).toBeGreaterThanOrEqual(95.999);
    }
  });

  it('labels in one unit with as many decimals as tell ticks apart', () => {
    const labels = (beginNs: number, endNs: number) =>
      ticks({ beginNs, endNs }, 1000, 200).map((tick) => tick.label);
    expect(labels(-1_000_000, 4_000_000)).toEqual(['\u22121 ms', '0 ms', '1 ms', '2 ms', '3 ms', '4 ms']);
    expect(labels(256_845_000, 256_870_000)[0]).toBe('256.845 ms');
    expect(labels(0, 900)).toEqual(['0 ns', '200 ns', '400 ns', '600 ns', '800 ns']);
  });
});

function track(
  trace: number,
  group: string,
  name: string,
  lanes: number,
  kind: TrackLayout['kind'] = 'thread',
) {
  return { trace, group, name, lanes, kind, events: 10 * lanes, begin_ns: 0, end_ns: 100 };
}

const LAYOUT: Layout = {
  run: 'r',
  kind: 'measured',
  version: '1',
  clock: 'recorded',
  placed: 'recorded',
  placing: [],
  base_ns: '0',
  span: [0, 100],
  view: [0, 100],
  traces: [
    { index: 0, rank: 0, label: 'rank 0', clock: null },
    { index: 1, rank: 3, label: 'rank 3', clock: null },
  ],
  tracks: [
    track(0, 'python', 'main', 4),
    track(0, 'GPU 0', 'stream 7', 1, 'stream'),
    track(0, 'profiler', 'marks', 2, 'marker'),
    track(1, 'GPU 3', 'stream 7', 1, 'stream'),
  ],
  steps: [],
  overview: { level: 5, tracks: [[1], [3]] },
};

describe('rows', () => {
  const rows = buildRows(LAYOUT, new Set());

  it('are ranks, groups, tracks in the order of the layout, without holes', () => {
    expect(rows.map(({ kind, label }) => `${kind} ${label}`)).toEqual([
      'rank rank 0',
      'group python',
      'track main',
      'group GPU 0',
      'track stream 7',
      'group profiler',
      'track marks',
      'rank rank 3',
      'group GPU 3',
      'track stream 7',
    ]);
    rows.forEach((row, i) => {
      expect(row.y).toBe(i ? rows[i - 1].y + rows[i - 1].height : 0);
    });
    expect(rows.map(({ track: index }) => index)[2]).toBe(0);
    expect(contentHeight([])).toBe(0);
  });

  it('hide what a collapsed header holds and let the track of the minimap stand for it', () => {
    const collapsed = buildRows(LAYOUT, new Set([rankKey(0)]));
    expect(collapsed[0]).toMatchObject({ kind: 'rank', collapsed: true, lanes: 1, track: 1 });
    expect(collapsed[1].label).toBe('rank 3');
    const one = buildRows(LAYOUT, new Set([trackKey(0)])).find(({ key }) => key === trackKey(0));
    expect(one).toMatchObject({ lanes: 1, collapsed: true });
  });

  it('begin with the profiler’s own markers out of the way', () => {
    const shown = buildRows(LAYOUT, initiallyCollapsed(LAYOUT)).map(({ label }) => label);
    expect(shown).toContain('profiler');
    expect(shown).not.toContain('marks');
  });

  it('are found by their place', () => {
    for (let y = 0; y < contentHeight(rows); y++) {
      const row = rows[rowAt(rows, y)];
      expect(y >= row.y && y < row.y + row.height).toBe(true);
    }
    expect(rowsBetween(rows, rows[2].y, rows[3].y)).toEqual([rows[2]]);
    expect(rowsBetween(rows, -500, -1)).toEqual([]);
    expect(laneAt(rows[2], laneY(rows[2], 3) + 1)).toBe(3);
    expect(laneAt(rows[2], rows[2].y)).toBe(-1);
  });

  it('are told apart from minimap, axis, titles and labels', () => {
    const frame = arrange(1000, 600, 2, 0);
    const places = [rows, rows];
    expect(placeAt(frame, places, 0, 500, 10).area).toBe('axis');
    expect(placeAt(frame, places, 0, 500, frame.titles[1].top + 5).area).toBe('title');
    expect(placeAt(frame, places, 0, 50, frame.panes[1].top + 5)).toMatchObject({
      area: 'labels',
      pane: 1,
      row: rows[0],
    });
    const scrolled = placeAt(frame, places, rows[2].y, 500, frame.panes[0].top + 5);
    expect(scrolled).toMatchObject({ area: 'time', pane: 0, row: rows[2] });
    expect(arrange(1000, 600, 1, 64).minimap.height).toBeLessThanOrEqual(64 * 3 + 4);
  });
});

describe('text', () => {
  const fitter = new TextFitter((character) => (character === 'W' ? 12 : 6));

  it('is whole where it fits and cut with an ellipsis where not', () => {
    expect(fitter.fit('aten::add', 54)).toBe('aten::add');
    expect(fitter.fit('aten::add', 53)).toBe('aten::a…');
    expect(fitter.fit('aten::add', 12)).toBe('');
  });

  it('is never wider than the room, in whole characters', () => {
    for (let seed = 0; seed < 200; seed++) {
      const below = random(seed);
      const text = Array.from({ length: 1 + below(500) }, () => ['W', 'i', '漢', '😀', ' '][below(5)]).join(
        '',
      );
      const room = below(900);
      const shown = fitter.fit(text, room);
      const width = Array.from(shown).reduce((sum, character) => sum + (character === 'W' ? 12 : 6), 0);
      expect(width).toBeLessThanOrEqual(room);
      expect(() => encodeURIComponent(shown)).not.toThrow(); // no half of a surrogate pair
    }
  });
});

describe('keys', () => {
  const press = (code: string, key: string, more = {}) => ({
    code,
    key,
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...more,
  });

  it('go by their place on the keyboard, signs by what they say', () => {
    expect(commandFor(press('KeyW', 'z'))?.id).toBe('zoom-in'); // AZERTY
    expect(commandFor(press('Comma', '?', { shiftKey: true }))?.id).toBe('help'); // AZERTY
    expect(commandFor(press('KeyW', 'W', { shiftKey: true }))?.id).toBe('zoom-in');
    expect(commandFor(press('Backspace', 'Backspace', { shiftKey: true }))?.id).toBe('forward');
  });

  it('leave the browser its own', () => {
    expect(commandFor(press('KeyW', 'w', { ctrlKey: true }))).toBeNull();
    expect(commandFor(press('Tab', 'Tab'))).toBeNull();
  });

  it('are each used for one command', () => {
    const all = COMMANDS.flatMap(({ codes, keys }) => [...codes, ...keys]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('move faster the longer they are held, and with Shift', () => {
    const motion = new Motion();
    expect(motion.step(0, 16)).toEqual({ zoom: 1, pan: 0 });
    motion.press('pan-right', 0);
    const slow = motion.step(0, 16).pan;
    const held = motion.step(5000, 16).pan;
    motion.isFast = true;
    const fast = motion.step(5000, 16).pan;
    expect(slow).toBeGreaterThan(0);
    expect(held).toBeCloseTo(3 * slow);
    expect(fast).toBeCloseTo(9 * slow);
    motion.press('pan-left', 5000);
    expect(motion.step(10_000, 16).pan).toBe(0);
    motion.press('zoom-in', 10_000);
    expect(motion.step(10_000, 16).zoom).toBeLessThan(1);
    motion.stop();
    expect(motion.isMoving).toBe(false);
  });
});

describe('the theme', () => {
  const variable = (name: string) => {
    if (name.startsWith('--slice-')) return ['#dfe3e8', '#102030', '#4f9bfa'][Number(name.slice(8)) % 3];
    return name === '--ink-light' || name === '--bg' ? '#fff' : '#0d1117';
  };

  it('reads colours as pages write them, long or short', () => {
    expect(parseHex(' #4F9bfa')).toEqual([79, 155, 250]);
    expect(parseHex('#fa0')).toEqual([255, 170, 0]);
    expect(() => parseHex('red')).toThrow(/#rrggbb/);
  });

  it('packs as ImageData holds pixels', () => {
    const word = Uint32Array.of(pack([1, 2, 3]));
    expect([...new Uint8Array(word.buffer)]).toEqual([1, 2, 3, 255]);
    expect(mix([0, 0, 0], [200, 100, 50], 0.5)).toEqual([100, 50, 25]);
  });

  it('writes on each colour in the ink that is easier to read', () => {
    const { ink, palette } = buildTheme(variable);
    expect(ink.slice(0, 3)).toEqual(['#0d1117', '#fff', '#0d1117']);
    expect(palette.solid.length).toBe(24);
    expect(palette.merged[1]).not.toBe(palette.solid[1]);
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
  });
});

it('calls asynchronous work what it is', () => {
  const name = (kind: 'async' | 'thread', text: string) => trackName({ kind, name: text });
  expect([name('async', 'net'), name('async', 'async'), name('thread', 'net')]).toEqual([
    'net, asynchronous',
    'asynchronous',
    'net',
  ]);
});
