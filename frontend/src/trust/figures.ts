// What `GET runs/{run}/trust/` answers (docs/accuracy.md), and how its words are shown.

import type { Job, TrustLevel } from '../transport/api';

export interface Check {
  name: string;
  what: string;
  value_percent: number;
  limit_percent: number;
  is_kept: boolean;
}

export interface StepFromOthers {
  rank: number | null;
  name: string;
  measured_ns: number;
  predicted_ns: number;
  naive_ns: number;
  error_percent: number;
  naive_error_percent: number;
  edges: number;
  kept: number;
}

export interface Ablation {
  family: string | null;
  edges: number;
  error_percent: number;
  steps_mean_error_percent: number | null;
  device_start_error_ns: { mean: number; p95: number; max: number };
}

export interface WorstEvent {
  trace: number;
  rank: number | null;
  row: number;
  name: string;
  track: string;
  start_ns: number;
  start_error_ns: number;
  own_ns: number;
  bound: { family: string | null; rule: string | null; by: string | null };
}

export interface Origin {
  name: string;
  events: number;
  residual_ns: number;
  worst: WorstEvent;
}

export interface Figures {
  verdict: { level: TrustLevel; title: string; sentences: string[] };
  checks: Check[];
  path: { unexplained_percent: number; gap_percent: number; families: Record<string, number> };
  others: {
    steps: StepFromOthers[];
    ramp_up: { rank: number | null; name: string }[];
    unlike: { rank: number | null; name: string }[];
    mean_error_percent: number | null;
    naive_mean_error_percent: number | null;
    kept_percent: number;
  };
  edges: { family: string; certainty: string; edges: number }[];
  ablation: Ablation[];
  telling: boolean;
  worst: WorstEvent[];
  origins: Origin[];
}

export interface Assessment {
  state: 'none' | 'working' | 'ready' | 'failed';
  error: string;
  figures: Figures | null;
  engine_version: string;
  job: Job | null;
  is_of_now: boolean;
}

/** `host_sync` -> `host sync`. */
export function words(code: string): string {
  return code.replaceAll('_', ' ');
}

/** An event on its run's page: chosen, with as much around it as its error is long. */
export function eventUrl(run: string, event: WorstEvent): string {
  const around = Math.max(2 * Math.abs(event.start_error_ns), 100_000);
  const [from, to] = [event.start_ns - around, event.start_ns + around];
  return `${run}?from=${from}&to=${to}&event=${event.trace}.${event.row}`;
}

export const CERTAINTIES = ['structural', 'recorded', 'inferred', 'guessed'];

/** Edges by family, in columns of certainty. */
export function byCertainty(edges: Figures['edges']): { family: string; counts: number[] }[] {
  const families = [...new Set(edges.map(({ family }) => family))];
  return families.map((family) => ({
    family,
    counts: CERTAINTIES.map(
      (certainty) => edges.find((line) => line.family === family && line.certainty === certainty)?.edges ?? 0,
    ),
  }));
}
