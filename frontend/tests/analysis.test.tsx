// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AnalysisView } from '../src/analysis/AnalysisView';
import { FigureTable } from '../src/analysis/FigureTable';
import { chosenOf, queryOf, searchOf } from '../src/analysis/figures';
import { arranged, TABLES, type TableKind, worthShowing } from '../src/analysis/tables';
import { afterKey } from '../src/ui/Tabs';
import { aRun } from './examples';

let root: HTMLElement;

beforeEach(() => {
  root = document.createElement('div');
  document.body.append(root);
  history.replaceState(null, '', '/');
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

const KERNELS = TABLES[0];
const lines = [
  {
    name: 'gemm',
    work: 'compute',
    count: 2,
    total_ns: 3_000_000,
    percent: 75,
    mean_ns: 1_500_000,
    min_ns: 1,
    max_ns: 2,
    trace: 0,
    row: 7,
  },
  {
    name: 'ncclDevKernel_AllReduce',
    work: 'communication',
    count: 1,
    total_ns: 1_000_000,
    percent: 25,
    mean_ns: 1_000_000,
    min_ns: 1,
    max_ns: null,
    trace: 1,
    row: 9,
  },
];
const cells = (column: number) =>
  [...root.querySelectorAll('tbody tr')].map((row) => row.children[column].textContent);
const heading = (text: string) =>
  [...root.querySelectorAll<HTMLButtonElement>('thead button')].find((one) =>
    one.textContent?.startsWith(text),
  );

test('the address says what is looked at', () => {
  expect(chosenOf('?rank=3&step=12')).toEqual({ rank: 3, step: 12 });
  expect(chosenOf('?rank=x')).toEqual({ rank: null, step: null });
  expect(searchOf({ rank: 3, step: null }, 'ops')).toBe('?rank=3&table=ops');
  expect(queryOf({ rank: 0, step: 4 }, ['ops', 'idle'])).toBe('sections=ops%2Cidle&ranks=0&steps=4');
});

test('what is not known sorts below everything', () => {
  const names = (sort: string, up: boolean) =>
    arranged(lines, KERNELS.columns, '', sort, up).map(({ name }) => name);
  expect(names('total_ns', false)).toEqual(['gemm', 'ncclDevKernel_AllReduce']);
  expect(names('max_ns', false)).toEqual(['gemm', 'ncclDevKernel_AllReduce']);
  expect(names('name', false)[0]).toBe('ncclDevKernel_AllReduce');
});

test('a heading sorts, words filter, and a line opens the timeline', async () => {
  await act(() => render(<FigureTable kind={KERNELS} lines={lines} timeline="/p/demo/runs/r1/" />, root));
  expect(cells(0)).toEqual(['gemm', 'ncclDevKernel_AllReduce']);
  expect(cells(3)).toEqual(['3.00 ms', '1.00 ms']);
  expect(root.querySelector('tbody a')?.getAttribute('href')).toBe('/p/demo/runs/r1/?event=0.7');
  await act(() => heading('count')?.click());
  await act(() => heading('count')?.click());
  expect(cells(2)).toEqual(['1', '2']);
  expect(root.querySelector('th[aria-sort]')?.getAttribute('aria-sort')).toBe('ascending');
  const filter = root.querySelector('input') as HTMLInputElement;
  filter.value = 'ALLREDUCE';
  await act(() => void filter.dispatchEvent(new Event('input', { bubbles: true })));
  expect(cells(0)).toEqual(['ncclDevKernel_AllReduce']);
  expect(root.textContent).toContain('1 of 2 lines');
});

test('an empty table says what was not recorded', async () => {
  const modules = TABLES.find(({ id }) => id === 'modules') as TableKind;
  await act(() => render(<FigureTable kind={modules} lines={[]} timeline="" />, root));
  expect(root.textContent).toContain('with_stack=True');
});

test('a column that holds nothing is left out, and said to be', async () => {
  const ops = TABLES.find(({ id }) => id === 'ops') as TableKind;
  const op = { name: 'aten::mm', count: 3, direct_ns: 0, percent: null, subtree_ns: 0, host_ns: 5000 };
  const onHost = [
    { ...op, host_self_ns: 4000, trace: 0, row: 1 },
    { ...op, name: 'aten::t', host_ns: 9000, host_self_ns: 100, trace: 0, row: 2 },
  ];
  await act(() => render(<FigureTable kind={ops} lines={onHost} timeline="" />, root));
  expect(heading('device')).toBeUndefined();
  expect(root.textContent).toContain('0 or unknown in all lines: device; share; device, with inner.');
  expect(root.querySelector('th[aria-sort]')?.textContent).toBe('host ↓');
  expect(cells(0)).toEqual(['aten::t', 'aten::mm']);
});

test('a number that names something is shown, also if it is 0', () => {
  const idle = TABLES.find(({ id }) => id === 'idle') as TableKind;
  const { columns, empty } = worthShowing(idle, [{ rank: 0, stream: 0, idle_ns: 7, gaps: 0 }]);
  expect(columns.map(({ key }) => key)).toEqual(['stream', 'idle_ns']);
  expect(empty).toContain('gaps');
});

test('a table of many lines comes in parts, and is sorted as a whole', async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({ ...lines[0], name: `op ${i}`, total_ns: i }));
  await act(() => render(<FigureTable kind={KERNELS} lines={many} timeline="" />, root));
  expect(cells(0)).toHaveLength(50);
  expect(cells(0)[0]).toBe('op 19999');
  await act(() => root.querySelector<HTMLButtonElement>('.more button')?.click());
  expect(cells(0)).toHaveLength(550);
  expect(root.textContent).toContain('550 of 20,000 shown');
});

test('arrow keys lead from tab to tab, round the end', () => {
  expect(afterKey('ArrowRight', 2, 3)).toBe(0);
  expect(afterKey('ArrowLeft', 0, 3)).toBe(2);
  expect(afterKey('End', 0, 3)).toBe(2);
  expect(afterKey('Home', 2, 3)).toBe(0);
  expect(afterKey('a', 1, 3)).toBeNull();
});

test('the rank is a column only where there are several', async () => {
  const launches = TABLES.find(({ id }) => id === 'launches') as TableKind;
  const call = { name: 'cudaLaunchKernel', count: 1, trace: 0, row: 1 };
  await act(() => render(<FigureTable kind={launches} lines={[{ ...call, rank: 0 }]} timeline="" />, root));
  expect(heading('rank')).toBeUndefined();
  const two = [
    { ...call, rank: 0 },
    { ...call, rank: 1 },
  ];
  await act(() => render(<FigureTable kind={launches} lines={two} timeline="" />, root));
  expect(heading('rank')).toBeDefined();
});

const PARTS = {
  begin_ns: 100,
  window_ns: 1000,
  exposed_compute_ns: 300,
  overlapped_ns: 100,
  exposed_communication_ns: 200,
  copying_ns: 0,
  idle_ns: 400,
  communication_ns: 300,
  overlapped_percent: 33.3,
};
const verdict = (bound: string) => ({
  bound,
  reason: 'because',
  onto_idle_percent: 80,
  host_wait_percent: 40,
});

function answer(url: string): unknown {
  const sections = new URL(url, 'http://x').searchParams.get('sections')?.split(',') ?? [];
  const ranks = [0, 1].map((rank) => ({
    rank,
    events: 10,
    unlinked: rank,
    unlinked_ns: 5 * rank,
    steps: [],
    ...PARTS,
  }));
  const launches = [0, 1].map((rank) => ({ rank, verdict: verdict('CPU-bound'), tklqt_ns: 500 }));
  const idle = [0, 1].map((rank) => ({
    rank,
    idle_ns: 400,
    host_wait_ns: 300,
    kernel_wait_ns: 100,
    other_ns: 0,
  }));
  const all: Record<string, unknown> = {
    breakdown: { ranks },
    launches: { ranks: launches },
    idle: { ranks: idle },
    kernels: { kernels: lines },
    memory: { ranks: [] },
    collectives: {
      stragglers: {
        ranks: [
          { rank: 0, caused_wait_ns: 0 },
          { rank: 1, caused_wait_ns: 7000 },
        ],
      },
    },
  };
  const asked = Object.fromEntries(sections.map((name) => [name, all[name]]));
  return { ranks: [0, 1], steps: [4], placed: 'recorded', ...asked };
}

test('the page says who holds up whom, and where the time goes', async () => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    return new Response(JSON.stringify(answer(url)));
  });
  await act(async () => render(<AnalysisView run={aRun()} />, root));
  await vi.waitFor(() => expect(root.querySelector('.large-figure')?.textContent).toBe('CPU-bound'));
  await vi.waitFor(() => expect(root.querySelector('select[aria-label="Rank"]')).not.toBeNull());
  expect(root.textContent).toContain(
    'idle 40.0 % of its time and communicates with nothing beside it 20.0 %',
  );
  expect(root.textContent).toContain('wait 7.00 us in all for the last to come, 7.00 us of it for rank 1');
  expect(root.textContent).toContain('1 device event of 20 (5.00 %) without a launch in the trace');
  expect(root.querySelectorAll('.bar-line')).toHaveLength(2);
  expect(root.querySelector('.bar-line')?.getAttribute('href')).toBe('/p/demo/runs/r1/?from=100&to=1100');
  expect(root.textContent).toContain('600 ns (75.0 %)');
  const rank = root.querySelector('select[aria-label="Rank"]') as HTMLSelectElement;
  rank.value = '1';
  await act(() => void rank.dispatchEvent(new Event('change', { bubbles: true })));
  await vi.waitFor(() => expect(asked.at(-1)).toContain('ranks=1'));
  expect(location.search).toBe('?rank=1&table=kernels');
});
