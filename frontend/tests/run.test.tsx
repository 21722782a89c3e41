// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ExportSheet } from '../src/run/ExportSheet';
import { exportUrl, WHOLE } from '../src/run/exporting';
import { openInPerfetto, PERFETTO } from '../src/run/perfetto';
import { RunBanner, warnings } from '../src/run/RunBanner';
import { StaleBanner } from '../src/run/Stale';
import type { Clock, Run } from '../src/transport/api';
import { ClockChoice, clockOf, furthest, furthestOff, onClock } from '../src/viewer/ClockChoice';
import { aRun } from './examples';

let root: HTMLElement;

beforeEach(() => {
  root = document.createElement('div');
  document.body.append(root);
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('it exports all of a run, or a range of some tracks, rounded outwards', () => {
  expect(exportUrl(aRun(), 'arrow', WHOLE)).toBe('/api/v1/runs/r1/export/?format=arrow');
  expect(exportUrl(aRun(), 'parquet', { label: '', traces: [3] })).toContain('?format=parquet&traces=3');
  const part = { label: '', range: { beginNs: 10.7, endNs: 20.2 }, tracks: [0, 12] };
  expect(exportUrl(aRun(), 'csv', part)).toBe(
    '/api/v1/runs/r1/export/?format=csv&begin_ns=10&end_ns=21&tracks=0,12',
  );
});

test('it exports on the clocks that are asked for', () => {
  expect(exportUrl(aRun(), 'csv', WHOLE, 'aligned')).toBe('/api/v1/runs/r1/export/?format=csv&clock=aligned');
});

test('it offers the clocks of several ranks, those of the page first, and keeps a range on them', async () => {
  const parts = [{ label: 'Range', range: { beginNs: 0, endNs: 9 } }];
  const sheet = (ranks: number) => (
    <ExportSheet run={aRun({ ranks })} parts={parts} shownClock="aligned" onClose={() => {}} />
  );
  const link = () => root.querySelector('a')!.getAttribute('href');
  const option = (text: string) =>
    [...root.querySelectorAll('label')]
      .find((one) => one.textContent!.startsWith(text))!
      .querySelector('input')!;
  await act(() => render(sheet(1), root));
  expect(root.textContent).not.toContain('Clocks');
  await act(() => render(sheet(2), root));
  expect(link()).toContain('clock=aligned');
  await act(async () => option('as recorded').click());
  expect(link()).not.toContain('clock');
  await act(async () => option('Range').click());
  expect(link()).toContain('clock=aligned&begin_ns=0&end_ns=9');
  expect(option('as recorded').closest('fieldset')!.disabled).toBe(true);
});

/** A window that answers the n-th PING from an origin, and what was posted to it. */
function aPerfetto(answersAfter: number, origin = PERFETTO) {
  const posted: [unknown, string][] = [];
  const page = {
    closed: false,
    postMessage: (data: unknown, target: string) => {
      posted.push([data, target]);
      if (posted.length !== answersAfter) return;
      const event = new MessageEvent('message', { data: 'PONG', origin });
      Object.defineProperty(event, 'source', { value: page });
      queueMicrotask(() => window.dispatchEvent(event));
    },
  };
  vi.stubGlobal('open', () => page);
  return { page, posted };
}

const serve = (body: string, status = 200) =>
  vi.stubGlobal('fetch', async () => new Response(body, { status }));

test('it hands the trace to Perfetto once that says PONG, and to nobody else', async () => {
  serve('{"traceEvents": []}');
  const { posted } = aPerfetto(3);
  await openInPerfetto('/export', 'step-12');
  expect(posted.slice(0, 3).map(([data]) => data)).toEqual(['PING', 'PING', 'PING']);
  expect(posted.every(([, target]) => target === 'https://ui.perfetto.dev')).toBe(true);
  const [{ perfetto }] = posted.at(-1) as [
    { perfetto: { buffer: ArrayBuffer; title: string; fileName: string } },
    string,
  ];
  expect(new TextDecoder().decode(perfetto.buffer)).toBe('{"traceEvents": []}');
  expect(perfetto).toMatchObject({ title: 'step-12', fileName: 'step-12.json.gz' });
});

test('it trusts no PONG of another origin, and gives up in words', async () => {
  vi.useFakeTimers();
  serve('{}');
  const { posted } = aPerfetto(1, 'https://elsewhere.example');
  const handed = expect(openInPerfetto('/export', 'x')).rejects.toThrow('did not answer');
  await vi.advanceTimersByTimeAsync(31_000);
  await handed;
  expect(posted.every(([data]) => data === 'PING')).toBe(true);
});

test('it says when the window was closed, blocked, or the export refused', async () => {
  const { page } = aPerfetto(-1);
  page.closed = true;
  serve('{}');
  await expect(openInPerfetto('/export', 'x')).rejects.toThrow('was closed');
  aPerfetto(1);
  serve('{"detail": "This run is not ready.", "code": "not_ready"}', 409);
  await expect(openInPerfetto('/export', 'x')).rejects.toThrow('This run is not ready.');
  vi.stubGlobal('open', () => null);
  await expect(openInPerfetto('/export', 'x')).rejects.toThrow('kept the new window from opening');
});

const finding = (code: string, count: number, message: string) => ({ code, count, message });

test('it warns of what no figure should be trusted without, and of nothing else', () => {
  const quality = [
    finding('zero_durations', 9, 'slices last 0 ns'),
    finding('unplaced_events', 3, 'events have no usable time; they are kept'),
    finding('truncated', 1, 'the file ends early; the run holds what could be read'),
  ];
  expect(warnings(quality, 'recorded')).toEqual(['1 the file ends early', '3 events have no usable time']);
  expect(warnings(quality.slice(0, 1), 'recorded')).toEqual([]);
  expect(warnings([], 'replay')[0]).toContain('placed by replay');
});

test('it opens the quality panel from the banner', async () => {
  const onOpen = vi.fn();
  await act(() => render(<RunBanner quality={[]} placed="replay" onOpen={onOpen} />, root));
  root.querySelector('button')!.click();
  expect(onOpen).toHaveBeenCalled();
  await act(() => render(<RunBanner quality={[]} placed="recorded" onOpen={onOpen} />, root));
  expect(root.childElementCount).toBe(0);
});

const traces = (...clocks: (Clock | null)[]) =>
  clocks.map((clock, index) => ({ index, rank: index, label: `rank ${index}`, clock }));
const clock = (offset_ns: number, uncertainty_ns = 500) => ({ offset_ns, uncertainty_ns });

test('it names the clock that is furthest off, whichever way', () => {
  expect(furthest({ traces: traces(null, null) })).toBeNull();
  expect(furthest({ traces: traces(clock(0), clock(-1_200_000, 3400), clock(900)) })).toEqual({
    label: 'rank 1',
    offset_ns: -1_200_000,
    uncertainty_ns: 3400,
  });
});

test('it takes the run with known clocks, and of two the one that is further off', () => {
  const [unknown, near, far] = [traces(null), traces(clock(0), clock(9)), traces(clock(0), clock(-90))].map(
    (all) => ({ traces: all }),
  );
  expect(furthestOff([unknown, near])).toBe(near);
  expect(furthestOff([far, near])).toBe(far);
  expect(furthestOff([unknown, unknown])).toBe(unknown);
});

test('it marks a stale prediction and replays its measured run anew', async () => {
  const stale_reason = 'Rank 3 was replaced.';
  const stale = aRun({ id: 'p1', kind: 'predicted', measured_run: 'r0', stale: true, stale_reason });
  const banner = (run: Run, canEdit: boolean) =>
    act(() => render(<StaleBanner run={run} csrf="t" canEdit={canEdit} />, root));
  await banner({ ...stale, stale: false }, true);
  expect(root.childElementCount).toBe(0);
  await banner(stale, false);
  expect(root.textContent).toContain('This prediction is stale: Rank 3 was replaced.');
  expect(root.querySelector('button')).toBeNull();
  const fetched = vi.fn(async () => new Response(JSON.stringify({ detail: 'No.' }), { status: 409 }));
  vi.stubGlobal('fetch', fetched);
  await banner(stale, true);
  await act(async () => root.querySelector('button')!.click());
  const [address] = fetched.mock.lastCall as unknown as [string];
  expect(address).toBe('/api/v1/runs/r0/replay/');
});

test('it keeps the choice of clock in the address, and the window although the zero of time moves', () => {
  expect(clockOf('?from=1&clock=aligned')).toBe('aligned');
  expect(clockOf('?clock=other')).toBe('recorded');
  const recorded = { clock: 'recorded', base_ns: '1711964646000000500' } as const;
  const aligned = { clock: 'aligned', base_ns: '1711964646000000000' } as const;
  expect(onClock('?from=1&to=9&event=0.7', recorded, aligned)).toBe(
    '?from=501&to=509&event=0.7&clock=aligned',
  );
  expect(onClock('?from=501&to=509&clock=aligned', aligned, recorded)).toBe('?from=1&to=9');
});

test('it offers clocks where they are known, with the figure', async () => {
  const layout = { traces: traces(clock(0), clock(1_200_000, 3400)), clock: 'recorded' } as never;
  const onChoose = vi.fn();
  await act(() => render(<ClockChoice layout={layout} onChoose={onChoose} />, root));
  expect(root.textContent).toContain('rank 1 +1.20 ms ± 3.40 us');
  const [recorded, aligned] = root.querySelectorAll('button');
  recorded.click();
  expect(onChoose).not.toHaveBeenCalled();
  aligned.click();
  expect(onChoose).toHaveBeenCalledWith('aligned');
});
