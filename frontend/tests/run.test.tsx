// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { exportUrl, WHOLE } from '../src/run/exporting';
import { openInPerfetto, PERFETTO } from '../src/run/perfetto';
import { RunBanner, warnings } from '../src/run/RunBanner';
import type { Clock } from '../src/transport/api';
import { ClockChoice, clockOf, furthest, onClock } from '../src/viewer/ClockChoice';
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
