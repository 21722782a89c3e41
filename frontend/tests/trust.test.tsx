// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TimelinePage } from '../src/page';
import { type Assessment, byCertainty, eventUrl, type Figures, type WorstEvent } from '../src/trust/figures';
import { TrustView } from '../src/trust/TrustView';
import { aRun } from './examples';

vi.mock('../src/transport/connection', () => ({
  connection: () => ({ status: { value: 'open' }, isOpen: true, listen: () => () => {}, send: () => {} }),
}));

let root: HTMLElement;
let asked: string[];

beforeEach(() => {
  root = document.createElement('div');
  document.body.append(root);
  asked = [];
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

const event: WorstEvent = {
  trace: 1,
  rank: 1,
  row: 12,
  name: 'gemm',
  track: 'stream 7',
  start_ns: 5_000_000,
  start_error_ns: -400_000,
  own_ns: -1000,
  bound: { family: 'stream_order', rule: 'after', by: 'copy' },
};

const figures: Figures = {
  verdict: { level: 'limited', title: 'Within limits.', sentences: ['1.2 % is not explained.'] },
  checks: [
    { name: 'unexplained', what: 'Not explained', value_percent: 3.1, limit_percent: 2, is_kept: false },
  ],
  path: { unexplained_percent: 1.2, gap_percent: 40, families: { thread_order: 60, device_work: 38.8 } },
  others: {
    steps: [],
    ramp_up: [],
    unlike: [],
    mean_error_percent: null,
    naive_mean_error_percent: null,
    kept_percent: 0,
  },
  edges: [
    { family: 'host_sync', certainty: 'guessed', edges: 3 },
    { family: 'host_sync', certainty: 'recorded', edges: 4000 },
    { family: 'launch', certainty: 'recorded', edges: 5 },
  ],
  ablation: [],
  telling: true,
  worst: [event],
  origins: [{ name: 'gemm', events: 9, residual_ns: 70_000, worst: event }],
};

const none: Assessment = {
  state: 'none',
  error: '',
  figures: null,
  engine_version: '',
  job: null,
  is_of_now: false,
};

/** Answers have been taken, and what they led to has been drawn. */
async function settled() {
  for (let turn = 0; turn < 5; turn++) await act(async () => new Promise((done) => setTimeout(done, 5)));
}

/** The page over a server that answers GET and POST with these. */
async function open(get: Partial<Assessment>, post: Partial<Assessment> = {}, can_edit = true) {
  vi.stubGlobal('fetch', async (_: string, init?: RequestInit) => {
    asked.push(init?.method ?? 'GET');
    return new Response(JSON.stringify({ ...none, ...(init?.method === 'POST' ? post : get) }));
  });
  const page = {
    csrf: 't',
    user: 'u',
    project: { slug: 'p', name: 'P' },
    can_edit,
    run: aRun(),
  } as TimelinePage;
  await act(async () => render(<TrustView page={page} />, root));
  await settled();
}

test('it asks when nobody has, and shows the verdict first', async () => {
  await open({}, { state: 'ready', figures, is_of_now: true });
  expect(asked).toEqual(['GET', 'POST']);
  expect(root.querySelector('h1')?.textContent).toBe('Within limits.');
  expect(root.textContent).toContain('1.2 % is not explained.');
  expect(root.textContent).toContain('missed');
});

test('it does not ask again for what is of now', async () => {
  await open({ state: 'ready', figures, is_of_now: true });
  expect(asked).toEqual(['GET']);
});

test('it shows old figures while it asks for new ones', async () => {
  await open({ state: 'ready', figures }, { state: 'ready', figures }, false);
  expect(asked).toEqual(['GET']);
  expect(root.textContent).toContain('these figures are old');
});

test('a viewer is told that nobody has asked', async () => {
  await open({}, {}, false);
  expect(asked).toEqual(['GET']);
  expect(root.textContent).toContain('Nobody has asked yet');
});

test('it says why it failed, and tries again when told to', async () => {
  await open({ state: 'failed', error: 'The disk is full.' }, { state: 'ready', figures, is_of_now: true });
  expect(root.querySelector('[role=alert]')?.textContent).toContain('The disk is full.');
  await act(async () => root.querySelector('button')?.click());
  await settled();
  expect(asked).toEqual(['GET', 'POST']);
  expect(root.querySelector('h1')?.textContent).toBe('Within limits.');
});

test('an event is a link to where it is on the timeline', () => {
  expect(eventUrl('/p/demo/runs/r1/', event)).toBe('/p/demo/runs/r1/?from=4200000&to=5800000&event=1.12');
});

test('edges are counted by family and certainty', () => {
  expect(byCertainty(figures.edges)).toEqual([
    { family: 'host_sync', counts: [0, 4000, 0, 3] },
    { family: 'launch', counts: [0, 5, 0, 0] },
  ]);
});
