// What `/api/v1/runs/{run}/analysis/` answers, as far as the page shows it (docs/analysis.md says what each means).

import type { Nanoseconds } from '../ui/format';

export interface Parts {
  begin_ns: Nanoseconds;
  window_ns: Nanoseconds;
  exposed_compute_ns: Nanoseconds;
  overlapped_ns: Nanoseconds;
  exposed_communication_ns: Nanoseconds;
  copying_ns: Nanoseconds;
  idle_ns: Nanoseconds;
  communication_ns: Nanoseconds;
  overlapped_percent: number | null;
}

export interface StepParts extends Parts {
  step: number;
  name: string;
}

export interface RankParts extends Parts {
  rank: number | null;
  events: number;
  unlinked: number;
  unlinked_ns: Nanoseconds;
  steps: StepParts[];
}

export interface Verdict {
  bound: string;
  reason: string;
  onto_idle_percent: number;
  host_wait_percent: number;
}

export interface RankLaunches {
  rank: number | null;
  verdict: Verdict | null;
  tklqt_ns: Nanoseconds;
  tklqt_per_kernel_ns: number | null;
}

export interface Series {
  at_ns: number[];
  value: number[];
}

export interface MemoryDevice {
  device_type: string;
  device: number;
  peak_allocated_bytes: number;
  peak_reserved_bytes: number;
  allocations: number;
  trace: number;
  row: number;
  allocated: Series;
  reserved: Series;
}

export interface Straggler {
  rank: number | null;
  caused_wait_ns: Nanoseconds;
}

/** One line of a table; which keys it has, its columns say. */
export type Line = Record<string, unknown>;

export interface Answer {
  ranks: (number | null)[];
  steps: number[];
  placed: string;
  breakdown?: { ranks: RankParts[] };
  launches?: { ranks: RankLaunches[] };
  collectives?: { stragglers: { ranks: Straggler[] } };
  memory?: { ranks: { rank: number | null; devices: MemoryDevice[] }[] };
  [section: string]: unknown;
}

/** Which ranks and steps are looked at; null: all. */
export interface Chosen {
  readonly rank: number | null;
  readonly step: number | null;
}

export function chosenOf(search: string): Chosen {
  const params = new URLSearchParams(search);
  const whole = (key: string) => (/^\d{1,15}$/.test(params.get(key) ?? '') ? Number(params.get(key)) : null);
  return { rank: whole('rank'), step: whole('step') };
}

export function searchOf({ rank, step }: Chosen, table: string): string {
  const params = new URLSearchParams();
  if (rank !== null) params.set('rank', String(rank));
  if (step !== null) params.set('step', String(step));
  params.set('table', table);
  return `?${params}`;
}

export function queryOf({ rank, step }: Chosen, sections: readonly string[]): string {
  const params = new URLSearchParams({ sections: sections.join(',') });
  if (rank !== null) params.set('ranks', String(rank));
  if (step !== null) params.set('steps', String(step));
  return params.toString();
}

/** The lines of a section that lists them per rank, each with its rank. */
export function perRank(section: unknown, key: string): Line[] {
  const { ranks } = section as { ranks: (Line & { rank: number | null })[] };
  return ranks.flatMap((rank) => (rank[key] as Line[]).map((line) => ({ rank: rank.rank, ...line })));
}
