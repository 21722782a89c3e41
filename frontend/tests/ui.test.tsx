// @vitest-environment happy-dom
import { signal } from '@preact/signals';
import { type ComponentChild, render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { COMMANDS } from '../src/engine/keys';
import type { LinkStatus } from '../src/transport/connection';
import { ConnectionBanner } from '../src/ui/ConnectionBanner';
import { argsJson, categoryOf, DetailsPanel } from '../src/ui/DetailsPanel';
import { HelpSheet } from '../src/ui/HelpSheet';
import { jobText } from '../src/ui/JobBar';
import { PathTable } from '../src/ui/PathTable';
import { placingText, QualityBadge, QualityPanel } from '../src/ui/QualityPanel';
import { ReplayButton } from '../src/ui/ReplayButton';
import { StepTable } from '../src/ui/StepTable';
import { anEvent, aRun } from './examples';

let root: HTMLElement;

beforeEach(() => {
  root = document.createElement('div');
  document.body.append(root);
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

const show = (what: ComponentChild) => act(() => render(what, root));
const button = (text: string) => {
  const found = [...root.querySelectorAll('button')].find(
    (one) => one.textContent?.includes(text) || one.getAttribute('aria-label') === text,
  );
  if (!found) throw new Error(`no button ${text} in ${root.textContent}`);
  return found;
};
const nothing = () => {};

test('it shows when a slice ran, to the nanosecond', async () => {
  await show(<DetailsPanel event={anEvent()} where="rank 1, stream 84" onGo={nothing} onClose={nothing} />);
  expect(root.textContent).toContain('7.635 ms');
  expect(root.textContent).toContain('7,635,012 ns');
  expect(root.textContent).toContain('rank 1, stream 84, ProfilerStep#4, kernel');
  expect(root.textContent).toContain('9007199254740993');
});

test('it says how much longer an event of a prediction may last', async () => {
  const measured = { start_ns: 0, dur_ns: 5 };
  await show(
    <DetailsPanel event={anEvent({ measured, slack_ns: 1500 })} where="" onGo={nothing} onClose={nothing} />,
  );
  expect(root.textContent).toContain('May last 1.50 us longer before the run ends later.');
  await show(
    <DetailsPanel event={anEvent({ measured, slack_ns: 0 })} where="" onGo={nothing} onClose={nothing} />,
  );
  expect(root.textContent).toContain('On the critical path');
  await show(<DetailsPanel event={anEvent({ measured })} where="" onGo={nothing} onClose={nothing} />);
  expect(root.textContent).not.toContain('critical path');
});

test('it says what a critical path is made of, and leaves crumbs out', async () => {
  const causes = [
    { cause: 'host_gap', ns: 9_000_000, percent: 90 },
    { cause: 'residual', ns: -990_000, percent: -9.9 },
    { cause: 'launch', ns: 1_000, percent: 0.01 },
  ];
  await show(<PathTable path={{ length_ns: 10_000_000, causes }} />);
  const rows = [...root.querySelectorAll('tr')].map((row) => row.textContent);
  expect(rows).toEqual(['host gap9.00 ms90.0 %', 'residual\u2212990 us\u22129.90 %']);
});

test('it shows and copies an arg exactly as in the file', async () => {
  const written: string[] = [];
  vi.stubGlobal('navigator', { clipboard: { writeText: async (text: string) => written.push(text) } });
  const args: [string, string][] = [
    ['bytes', '12345678901234567890'],
    ['ratio', '1.50e0'],
    ['bytes', '"\\u00e9"'],
  ];
  await show(<DetailsPanel event={anEvent({ args })} where="" onGo={nothing} onClose={nothing} />);
  expect([...root.querySelectorAll('pre')].map((pre) => pre.textContent)).toEqual(args.map(([, raw]) => raw));
  await act(async () => button('Copy ratio').click());
  await act(async () => button('Copy all args').click());
  expect(written).toEqual(['1.50e0', '{"bytes": 12345678901234567890, "ratio": 1.50e0, "bytes": "\\u00e9"}']);
  expect(argsJson(args)).toBe(written[1]);
});

test('it shows the module, the words of the file, and the args of the end', async () => {
  const event = anEvent({
    spellings: ['kernel', 'Kernel'],
    module: ['Net_0', 'Block\u202e_1'],
    end_args: [['result', '"ok"']],
  });
  await show(<DetailsPanel event={event} where="stream 7" onGo={nothing} onClose={nothing} />);
  expect(root.textContent).toContain('kernel (in the file: Kernel)');
  expect(root.textContent).toContain('in module Net_0.Block<U+202E>_1');
  expect([...root.querySelectorAll('h3')].map((head) => head.textContent)).toContain(
    'Args of its end, as in the file',
  );
  expect(root.querySelector('pre')?.textContent).toBe('"ok"');
  expect(categoryOf(anEvent())).toBe('kernel');
});

test('it cuts a value of a million characters on display and says so', async () => {
  const args: [string, string][] = [['source', `"${'x'.repeat(1_000_000)}"`]];
  await show(<DetailsPanel event={anEvent({ args })} where="" onGo={nothing} onClose={nothing} />);
  expect(root.querySelector('pre')?.textContent?.length).toBeLessThan(5000);
  expect(root.textContent).toContain('characters more');
});

test('it leads from a kernel to its launch and to what encloses it', async () => {
  const went: number[] = [];
  const event = anEvent({
    parents: [{ row: 7, name: 'aten::mm' }],
    launch: { row: 9, track: 1, name: 'cudaLaunchKernel', start_ns: 4_751_000 },
    launched: [{ row: 40, track: 2, name: 'child\u202ekernel', start_ns: 4_900_000 }],
  });
  await show(<DetailsPanel event={event} where="" onGo={(row) => went.push(row)} onClose={nothing} />);
  expect(root.textContent).toContain('Launch to start61.00 us');
  button('cudaLaunchKernel').click();
  button('child<U+202E>kernel').click();
  button('aten::mm').click();
  expect(went).toEqual([9, 40, 7]);
});

test('it says how long others of its name take, and leads from one to the next', async () => {
  const went: string[] = [];
  const durations = { total_ns: 63_100_000, median_ns: 900_000, p95_ns: 6_100_000, max_ns: 7_600_000 };
  const places = { previous: null, next: { trace: 1, row: 3 }, longest: { trace: 0, row: 12 } };
  const alike = { count: 40, number: 1, ...durations, ...places };
  const panel = (
    <DetailsPanel
      event={anEvent()}
      where=""
      alike={alike}
      onAlike={(which) => went.push(which)}
      onGo={nothing}
      onClose={nothing}
    />
  );
  await show(panel);
  expect(root.textContent).toContain('4063.1 ms900 us6.10 ms7.60 ms');
  expect(root.textContent).toContain('1 of 40');
  expect(button('‹ Previous').disabled).toBe(true);
  button('Next ›').click();
  button('7.60 ms').click();
  expect(went).toEqual(['next', 'longest']);
});

test('it sets a predicted slice against the measured one', async () => {
  const measured = { start_ns: 5_000_000, dur_ns: 10_000_000 };
  await show(<DetailsPanel event={anEvent({ measured })} where="" onGo={nothing} onClose={nothing} />);
  expect(root.textContent).toContain('Duration −2.36 ms, −23.6 %; start −188 us');
});

test('it names the first finding on the badge and counts all in the panel', async () => {
  const quality = [
    {
      code: 'unlinked_device_events',
      count: 128,
      message: 'device events have no launch; they belong to no step',
    },
    { code: 'dangling_flows', count: 22_389, message: 'flow arrows have one end only; not drawn' },
  ];
  const opened = vi.fn();
  await show(<QualityBadge quality={quality} onOpen={opened} />);
  expect(root.textContent).toBe('Quality: 128 device events have no launch, 1 more');
  button('Quality').click();
  expect(opened).toHaveBeenCalledOnce();
  await show(<QualityPanel quality={quality} placing={[]} onClose={nothing} />);
  expect([...root.querySelectorAll('.findings li')].map((li) => li.textContent)).toEqual([
    '128device events have no launch; they belong to no step',
    '22,389flow arrows have one end only; not drawn',
  ]);
});

test('it says so when there is nothing to report', async () => {
  await show(<QualityBadge quality={[]} onOpen={nothing} />);
  expect(root.querySelector('button')).toBeNull();
  expect(root.textContent).toContain('nothing repaired');
});

test('it lists every command with its keys', async () => {
  await show(<HelpSheet entries={COMMANDS} onClose={nothing} />);
  for (const command of COMMANDS) expect(root.textContent).toContain(command.label);
  expect(root.querySelectorAll('kbd')).toHaveLength(COMMANDS.flatMap((command) => command.shown).length);
  expect(root.querySelector('dialog')?.open).toBe(true);
});

test('it gives each step its error with a sign, and the way there', async () => {
  const went: number[] = [];
  const step = {
    rank: 0,
    name: 'ProfilerStep#4',
    measured_ns: 1_000_000,
    predicted_ns: 990_000,
    error_percent: -1,
  };
  const steps = [step, { ...step, rank: 1, predicted_ns: 1_020_000, error_percent: 2 }];
  const total = { measured_ns: 2_000_000, predicted_ns: 2_000_000, error_percent: 0 };
  await show(<StepTable steps={steps} total={total} onGo={(i) => went.push(i)} />);
  const rows = [...root.querySelectorAll('tbody tr')].map((row) =>
    [...row.children].map((cell) => cell.textContent),
  );
  expect(rows).toEqual([
    ['4, rank 0', '1.00 ms', '990 us', '−1.00 %'],
    ['4, rank 1', '1.00 ms', '1.02 ms', '+2.00 %'],
    ['whole run', '2.00 ms', '2.00 ms', '0.00 %'],
  ]);
  button('4, rank 1').click();
  expect(went).toEqual([1]);
});

test('of many steps it shows those that are furthest off, and all when asked', async () => {
  const went: number[] = [];
  const steps = Array.from({ length: 32 }, (_, i) => ({
    rank: i % 8,
    name: `ProfilerStep#${i}`,
    measured_ns: 1000,
    predicted_ns: 1000,
    error_percent: i >= 24 ? -i : 0,
  }));
  await show(<StepTable steps={steps} onGo={(i) => went.push(i)} />);
  expect(root.querySelectorAll('tbody tr')).toHaveLength(8);
  expect(root.textContent).toContain('the 8 furthest off');
  button('31, rank 7').click();
  await act(() => button('Show all 32').click());
  expect(root.querySelectorAll('tbody tr')).toHaveLength(32);
  button('0, rank 0').click();
  expect(went).toEqual([31, 0]);
});

test.each([
  [{ state: 'queued', stage: '', done: 0, total: 0 } as const, 'waiting for a worker'],
  [{ state: 'running', stage: '', done: 0, total: 0 } as const, 'starting'],
  [{ state: 'running', stage: 'reading', done: 999, total: 1000 } as const, 'reading 99 %'],
  [{ state: 'running', stage: 'saving', done: 3, total: 0 } as const, 'saving'],
])('it says of a job %j: %s', (job, text) => {
  expect(jobText(job)).toBe(text);
});

const answer = (status: number, body: unknown) =>
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(body), { status }));

test('it goes to the comparison at once if the prediction is there', async () => {
  answer(202, aRun({ id: 'p1', kind: 'predicted', measured_run: 'r1' }));
  const done = vi.fn();
  await show(<ReplayButton run={aRun()} csrf="t" onDone={done} />);
  await act(async () => button('Replay').click());
  await vi.waitFor(() => expect(done).toHaveBeenCalledWith('/p/demo/compare/r1/p1/'));
});

test.each([
  [404, { detail: 'There is nothing here.', code: 'not_found' }, 'There is nothing here.'],
  [202, aRun({ state: 'failed', error: 'rank 1: the graph has a cycle' }), 'rank 1: the graph has a cycle'],
])('it says why a replay failed (%i) and offers another', async (status, body, message) => {
  answer(status, body);
  await show(<ReplayButton run={aRun()} csrf="t" onDone={nothing} />);
  await act(async () => button('Replay').click());
  await vi.waitFor(() => expect(root.querySelector('[role=alert]')?.textContent).toBe(message));
  button('Replay again');
});

test('it says that the connection is lost, and stops saying it', async () => {
  const status = signal<LinkStatus>('open');
  await show(<ConnectionBanner status={status} />);
  expect(root.textContent).toBe('');
  await act(() => {
    status.value = 'lost';
  });
  expect(root.textContent).toContain('Connection lost');
  await act(() => {
    status.value = 'http';
  });
  expect(root.textContent).toBe('');
});

test('it says by what rule times were placed, where they were', async () => {
  expect(placingText([])).toBe('');
  expect(placingText(['data', 'data and control'])).toContain(
    '(by data alone; in other ranks by data and control)',
  );
  await show(<QualityPanel quality={[]} placing={['data and control']} onClose={nothing} />);
  expect(root.textContent).toContain('Times were not recorded but placed');
  await show(<QualityPanel quality={[]} placing={[]} onClose={nothing} />);
  expect(root.textContent).not.toContain('Times were not recorded');
});
