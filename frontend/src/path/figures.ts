// What `GET runs/{run}/critical-path/` answers (docs/replay.md, "Critical path"), and how its words are shown.

import type { Nanoseconds } from '../ui/format';

export interface Segment {
  trace: number | null;
  rank: number | null;
  row: number | null;
  name: string;
  cause: string;
  begin_ns: Nanoseconds;
  end_ns: Nanoseconds;
}

export interface Segments {
  mode: Mode;
  length_ns: Nanoseconds;
  total: number;
  next: number | null;
  segments: Segment[];
}

export type Mode = 'measured' | 'replayed';

export function modeOf(search: string): Mode {
  return new URLSearchParams(search).get('mode') === 'replayed' ? 'replayed' : 'measured';
}

/** What each cause means, in a few words; docs/replay.md says it in full. */
export const CAUSES: Record<string, string> = {
  compute: 'kernels that are no communication',
  communication:
    'kernels of communication libraries, without the wait for other ranks where that can be seen',
  copy: 'copies and fills',
  host_op: 'work of host threads: the innermost open slice',
  runtime_call: 'calls into the runtime of the device',
  host_gap: 'no slice of the thread is open',
  thread_handover: 'from one thread to another',
  launch: 'from a call to the start of what it launched',
  stream_gap: 'between one event of a stream and the next',
  sync: 'what a call still does after it waited',
  event_wait: 'a stream waits for what another stream recorded',
  launch_queue: 'a call waits for room in the queue of the device',
  device_room: 'a kernel waits until another leaves it room',
  collective: 'from the last arrival on',
  send_recv: 'from the later one of sender and receiver on',
  pinned: 'an event that is held at its measured start',
  residual: 'what no dependency explains; negative: it began earlier',
};

/** `host_gap` -> `host gap`. */
export function words(code: string): string {
  return code.replaceAll('_', ' ');
}

/** The timeline at a segment: its event chosen where it has one, and about as much again around it. */
export function segmentUrl(run: string, { trace, row, begin_ns, end_ns }: Segment): string {
  const around = Math.max(end_ns - begin_ns, 10_000);
  const window = `?from=${begin_ns - around}&to=${end_ns + around}`;
  const event = trace !== null && row !== null ? `&event=${trace}.${row}` : '';
  return `${run}${window}${event}&clock=aligned`; // paths lead over ranks: their times are on aligned clocks
}
