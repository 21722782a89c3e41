// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Choice, choiceOf, linesOf, searchOf, sortedBy } from '../src/sensitivity/ranking';
import { SensitivityView } from '../src/sensitivity/SensitivityView';
import type { Gain, Sensitivity, SensitivityEntry } from '../src/transport/api';
import { aRun } from './examples';

const gain = (perPercent: number, bound: number): Gain => ({
  gain_ns_per_percent: perPercent,
  gain_percent_per_percent: 0.1,
  bound_ns: bound,
  bound_percent: 5,
});

function anEntry(change: Partial<SensitivityEntry>): SensitivityEntry {
  const events = { events: 3, longest: { trace: 1, row: 7 }, total_ns: 9000, share_percent: 30 };
  return { kind: 'kernel', name: 'gemm', ...events, step: gain(50, 4000), run: gain(10, 800), ...change };
}

const ENTRIES = [
  anEntry({}),
  anEntry({ name: 'softmax Forward', total_ns: 100, step: gain(40, 5000), run: gain(90, 9000) }),
  anEntry({ kind: 'gap', name: 'host_gap', longest: null, step: gain(0, 0) }),
];

const FIGURES: Sensitivity = {
  steps: 3,
  step_ns: 80_000,
  run_ns: 250_000,
  kinds: [
    { kind: 'kernel', groups: 12, left_out: 10, left_out_most_ns: 90 },
    { kind: 'gap', groups: 1, left_out: 0, left_out_most_ns: 0 },
    { kind: 'module', groups: 0, left_out: 0, left_out_most_ns: 0 },
  ],
  entries: ENTRIES,
};

const CHOICE: Choice = { of: 'step', kind: null, text: '', column: 'gain', isAscending: false };
const names = (choice: Partial<Choice>) =>
  linesOf(ENTRIES, { ...CHOICE, ...choice }).map(({ entry }) => entry.name);

let root: HTMLElement;

beforeEach(() => {
  history.replaceState(null, '', '/');
  root = document.createElement('div');
  document.body.append(root);
});

afterEach(() => {
  render(null, root);
  root.remove();
});

const show = (figures = FIGURES) =>
  act(() => render(<SensitivityView run={aRun()} figures={figures} />, root));
const shown = () => [...root.querySelectorAll('tbody tr th.name')].map((cell) => cell.textContent);

test('it sorts by any column, and the other way the second time', () => {
  expect(names({})).toEqual(['gemm', 'softmax Forward', 'host_gap']);
  expect(names({ column: 'bound' })).toEqual(['softmax Forward', 'gemm', 'host_gap']);
  expect(names({ of: 'run' })).toEqual(['softmax Forward', 'gemm', 'host_gap']);
  expect(names({ column: 'name', isAscending: true })).toEqual(['gemm', 'host_gap', 'softmax Forward']);
  const byTime = sortedBy(CHOICE, 'time');
  expect(byTime.isAscending).toBe(false);
  expect(sortedBy(byTime, 'time').isAscending).toBe(true);
  expect(sortedBy(CHOICE, 'name').isAscending).toBe(true);
});

test('the address says what is shown', async () => {
  const choice: Choice = { of: 'run', kind: 'gap', text: 'host g', column: 'name', isAscending: true };
  expect(choiceOf(searchOf(choice), true)).toEqual(choice);
  expect(choiceOf('?of=step&sort=nothing', false)).toEqual({ ...CHOICE, of: 'run' });
  history.replaceState(null, '', '/?kind=gap');
  await show();
  expect(shown()).toEqual(['host gap']);
  expect(location.search).toBe('?of=step&sort=gain&kind=gap');
});

test('a long list comes in parts', async () => {
  await show({ ...FIGURES, entries: Array.from({ length: 700 }, (_, i) => anEntry({ name: `op ${i}` })) });
  expect(shown()).toHaveLength(50);
  expect(root.textContent).toContain('50 of 700 shown');
  await act(() => root.querySelector<HTMLButtonElement>('.more button')?.click());
  await act(() => root.querySelector<HTMLButtonElement>('.more button')?.click());
  expect(shown()).toHaveLength(700);
  expect(root.querySelector('.more')).toBeNull();
});

test('where no line is left, one click shows all again', async () => {
  history.replaceState(null, '', '/?text=nothing+has+this');
  await show();
  expect(root.textContent).toContain('No line has this.');
  const all = [...root.querySelectorAll('button')].find((button) => button.textContent === 'Show all');
  await act(() => all?.click());
  expect(shown()).toHaveLength(3);
});

test('it filters by kind and by words of the name', () => {
  expect(names({ kind: 'gap' })).toEqual(['host_gap']);
  expect(names({ text: ' forward SOFT ' })).toEqual(['softmax Forward']);
  expect(names({ text: 'forward gemm' })).toEqual([]);
});

test('it leaves out what has no step where steps are asked for', () => {
  const only = [anEntry({ step: null })];
  expect(linesOf(only, CHOICE)).toEqual([]);
  expect(linesOf(only, { ...CHOICE, of: 'run' })).toHaveLength(1);
});

test('a name leads to its longest event in the timeline', async () => {
  await show();
  expect([...root.querySelectorAll('tbody a')].map((link) => link.getAttribute('href'))).toEqual([
    '/p/demo/runs/r1/?event=1.7',
    '/p/demo/runs/r1/?event=1.7',
  ]);
  expect(shown()).toEqual(['gemm', 'softmax Forward', 'host gap']);
});

test('a click on a heading sorts, and says so', async () => {
  await show();
  const heading = [...root.querySelectorAll('th')].find((one) => one.textContent?.includes('At most'));
  await act(async () => heading?.querySelector('button')?.click());
  expect(heading?.getAttribute('aria-sort')).toBe('descending');
  expect(shown()[0]).toBe('softmax Forward');
});

test('the filter box narrows the table, and bars keep to the longest shown', async () => {
  await show();
  const box = root.querySelector<HTMLInputElement>('input[type=search]');
  if (!box) throw new Error('no filter box');
  box.value = 'soft';
  await act(async () => {
    box.dispatchEvent(new Event('input', { bubbles: true }));
  });
  expect(shown()).toEqual(['softmax Forward']);
  expect(root.querySelector('progress')?.max).toBe(40);
});

test('it says what was not replayed, and what that could gain at most', async () => {
  await show();
  expect(root.textContent).toContain('10 of 12 of kind kernel were not replayed');
  expect(root.textContent).toContain('more than 90 ns');
  expect([...root.querySelectorAll('option')].map((option) => option.value)).toEqual(['', 'kernel', 'gap']);
});

test('without steps it is about the run', async () => {
  const entries = ENTRIES.map((entry) => ({ ...entry, step: null }));
  await show({ ...FIGURES, steps: 0, step_ns: null, entries });
  expect(root.textContent).toContain('The run takes 250 us');
  expect(root.querySelector('fieldset')).toBeNull();
  expect(shown()).toHaveLength(3);
});
