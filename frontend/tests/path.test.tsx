// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { modeOf, type Segment, segmentUrl } from '../src/path/figures';
import { PathView } from '../src/path/PathView';
import type { PathFigures, ReplayReport } from '../src/transport/api';
import { aRun } from './examples';

let root: HTMLElement;

beforeEach(() => {
  history.replaceState(null, '', '/');
  root = document.createElement('div');
  document.body.append(root);
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

const aSegment = (change: Partial<Segment> = {}): Segment => ({
  trace: 1,
  rank: 3,
  row: 7,
  name: 'gemm',
  cause: 'compute',
  begin_ns: 100_000,
  end_ns: 160_000,
  ...change,
});

const path = (length: number): PathFigures => ({
  length_ns: length,
  causes: [
    { cause: 'compute', ns: 0.75 * length, percent: 75 },
    { cause: 'host_gap', ns: 0.25 * length, percent: 25 },
  ],
  names: [
    { cause: 'compute', name: 'gemm', ns: 0.75 * length, percent: 75, segments: 3 },
    { cause: 'stream_gap', name: 'gemm', ns: 5, percent: 0.1, segments: 2 },
    { cause: 'others', name: '', ns: 5, percent: 0.1, segments: 2 },
  ],
  ranks: [
    { rank: 0, ns: 1000, percent: 20 },
    { rank: 3, ns: 4000, percent: 80 },
  ],
});

const report = { critical_path: { measured: path(1_000_000), replayed: path(900_000) } } as ReplayReport;
const PREDICTED = aRun({ kind: 'predicted', measured_run: 'm1', replay: report, ranks: 2 });

/** A server with these segments, `size` at a time; the addresses that were asked. */
function serve(segments: readonly Segment[], size = 2000): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    const params = new URL(url, 'http://x').searchParams;
    const offset = Number(params.get('offset'));
    const next = offset + size < segments.length ? offset + size : null;
    const answer = { mode: params.get('mode'), length_ns: 1_000_000, total: segments.length, next };
    return new Response(JSON.stringify({ ...answer, segments: segments.slice(offset, offset + size) }));
  });
  return asked;
}

const longest = () => [...root.querySelectorAll('section')].at(-1)!.querySelectorAll('tbody tr');

test('a segment leads to its event, on the clocks on which the path is', () => {
  expect(segmentUrl('/r/', aSegment())).toBe('/r/?from=40000&to=220000&event=1.7&clock=aligned');
  expect(segmentUrl('/r/', aSegment({ row: null }))).toBe('/r/?from=40000&to=220000&clock=aligned');
  expect(modeOf('?mode=replayed')).toBe('replayed');
  expect(modeOf('?mode=other')).toBe('measured');
});

test('it says what the path is made of, and where it runs', async () => {
  serve([
    aSegment(),
    aSegment({ row: null, name: '', cause: 'host_gap', begin_ns: 160_000, end_ns: 170_000 }),
  ]);
  await act(async () => render(<PathView run={PREDICTED} />, root));
  expect(root.querySelector('.large-figure')?.textContent).toBe('1.00 ms');
  expect(root.textContent).toContain('75.0 % compute, 25.0 % host gap.');
  expect(root.textContent).toContain('It runs over 2 ranks: rank 3 80.0 %, rank 0 20.0 %.');
  await vi.waitFor(() => expect(longest()).toHaveLength(2));
  expect([...longest()].map((row) => row.textContent)).toEqual([
    'gemmcompute3100.00 us60.0 us6.00 %',
    'host gaphost gap3160.00 us10.0 us1.00 %',
  ]);
});

test('a name leads to its longest segment of the same cause', async () => {
  serve([aSegment()]);
  await act(async () => render(<PathView run={PREDICTED} />, root));
  await vi.waitFor(() => expect(longest()).toHaveLength(1));
  const names = [...root.querySelectorAll('section')][1].querySelectorAll('tbody tr');
  const links = [...names].map((row) => row.querySelector('a')?.getAttribute('href') ?? null);
  expect(links).toEqual([segmentUrl('/p/demo/runs/r1/', aSegment()), null, null]);
  expect(names[2].textContent).toContain('all others');
});

test('the other times are asked for, and in the address', async () => {
  const asked = serve([aSegment()]);
  await act(async () => render(<PathView run={PREDICTED} />, root));
  const button = [...root.querySelectorAll('button')].find((one) => one.textContent === 'modelled times');
  await act(async () => button?.click());
  expect(root.querySelector('.large-figure')?.textContent).toBe('900 us');
  await vi.waitFor(() => expect(asked.at(-1)).toContain('mode=replayed'));
  expect(location.search).toBe('?mode=replayed');
});

test('more segments are fetched when those that came are shown', async () => {
  const many = Array.from({ length: 150 }, (_, i) => aSegment({ row: i, begin_ns: 100_000 * i }));
  const asked = serve(many, 60);
  await act(async () => render(<PathView run={PREDICTED} />, root));
  await vi.waitFor(() => expect(longest()).toHaveLength(50));
  const more = () => [...root.querySelectorAll<HTMLButtonElement>('.more button')].at(-1);
  await act(async () => more()?.click());
  await vi.waitFor(() => expect(longest()).toHaveLength(120));
  await act(async () => more()?.click());
  await vi.waitFor(() => expect(longest()).toHaveLength(150));
  expect(more()).toBeUndefined();
  expect(asked).toHaveLength(3);
});

test('a prediction of an earlier version says what to do', async () => {
  serve([]);
  await act(async () => render(<PathView run={aRun({ kind: 'predicted' })} />, root));
  expect(root.querySelector('[role=alert]')?.textContent).toContain('replay the measured run again');
});
