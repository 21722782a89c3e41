// The REST API as types and three functions (docs/protocol.md, "REST").

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface Job {
  id: string;
  state: JobState;
  stage: string;
  done: number;
  total: number;
  number: number;
}

export interface QualityCount {
  code: string;
  count: number;
  message: string;
}

export interface StepError {
  rank: number | null;
  name: string;
  measured_ns: number;
  predicted_ns: number;
  error_percent: number;
}

export interface PathShare {
  ns: number;
  percent: number;
}

export interface PathFigures {
  length_ns: number;
  causes: (PathShare & { cause: string })[];
  /** The same by cause and name, the longest. */
  names?: (PathShare & { cause: string; name: string; segments: number })[];
  /** Where the path runs. */
  ranks?: (PathShare & { rank: number | null })[];
}

export interface ReplayReport {
  measured_ns: number;
  predicted_ns: number;
  error_percent: number;
  /** The model's own error: nothing but dependencies and calibrated costs places a device event. */
  error_percent_without_residuals?: number;
  steps: StepError[];
  unexplained_percent: number;
  /** Absent of what an earlier version replayed. */
  critical_path?: { measured: PathFigures; replayed: PathFigures };
  gap_percent: number;
}

export interface Run {
  id: string;
  project: string;
  name: string;
  kind: 'measured' | 'predicted';
  state: 'reading' | 'ready' | 'failed';
  error: string;
  ranks: number;
  steps: number;
  median_step_ns: number | null;
  span_ns: number | null;
  events: number;
  gpu_events: number;
  quality: QualityCount[];
  measured_run: string | null;
  replay: ReplayReport | null;
  engine_version: string;
  created_at: string;
  created_by: string;
  job: Job | null;
  url: string;
  layout_version: string;
  tags: string[];
  stale: boolean;
  stale_reason: string;
  originals: Original[];
}

/** A file as it was uploaded; without a url it has not been kept. */
export interface Original {
  index: number;
  rank: number | null;
  file_name: string;
  size_bytes: number;
  url: string | null;
  /** The traces that an archive holds. */
  members: Member[];
}

export interface Member {
  rank: number | null;
  name: string;
}

/** Where times come from: the file, or a replay of a graph that has none. */
export type Placed = 'recorded' | 'replay';

export interface Project {
  slug: string;
  name: string;
  role: 'owner' | 'editor' | 'viewer';
  keep_originals: boolean;
}

export interface TraceLayout {
  index: number;
  rank: number | null;
  label: string;
  clock: Clock | null;
}

/** How far a trace's clock is ahead of the run's, estimated from what ranks do together. */
export interface Clock {
  offset_ns: number;
  uncertainty_ns: number;
}

export interface TrackLayout {
  trace: number;
  kind: 'thread' | 'stream' | 'counter' | 'async' | 'marker';
  group: string;
  name: string;
  lanes: number;
  events: number;
  begin_ns: number;
  end_ns: number;
}

export interface StepLayout {
  trace: number;
  name: string;
  begin_ns: number;
  end_ns: number;
}

export interface Layout {
  run: string;
  kind: string;
  version: string;
  base_ns: string;
  span: [number, number];
  view: [number, number];
  traces: TraceLayout[];
  tracks: TrackLayout[];
  steps: StepLayout[];
  overview: { level: number; tracks: number[][] };
  clock: ClockMode;
  placed: Placed;
  /** Which dependencies nodes without recorded times wait for. */
  placing: string[];
}

export type ClockMode = 'recorded' | 'aligned';

export interface EventLink {
  row: number;
  track: number;
  name: string;
  start_ns: number;
}

export interface EventDetail {
  run: string;
  trace: number;
  row: number;
  name: string;
  /** As tiles carry it. */
  name_code: number;
  category: string;
  /** How the file calls the category, where that is another word. */
  spellings: string[];
  track: number;
  start_ns: number;
  dur_ns: number;
  self_ns: number;
  depth: number;
  step: string | null;
  source_index: number;
  correlation: string;
  /** The nn.Modules it ran in, outermost first. */
  module: string[];
  args: [string, string][];
  /** Of a slice that the file gives as a begin and an end: those of the end. */
  end_args: [string, string][];
  parents: { row: number; name: string }[];
  launch: EventLink | null;
  launched: EventLink[];
  measured: { start_ns: number; dur_ns: number } | null;
  /** How much longer it may last before the run ends later; of a predicted run. */
  slack_ns: number | null;
}

/** An event by its trace and row. */
export interface Place {
  trace: number;
  row: number;
}

/** The events of the run that share an event's name and category. */
export interface Alike {
  count: number;
  total_ns: number;
  median_ns: number;
  p95_ns: number;
  max_ns: number;
  /** The event's place among them, by start, from 1. */
  number: number;
  previous: Place | null;
  next: Place | null;
  longest: Place;
}

export interface StepPair {
  trace: number;
  rank: number | null;
  name: string;
  a: [number, number];
  b: [number, number];
  error_percent: number;
}

export interface Comparison {
  a: Run;
  b: Run;
  pairing: { by: 'origin' | 'none'; coverage_percent: number };
  total: { a_ns: number; b_ns: number; error_percent: number };
  steps: StepPair[];
}

/** Limited: a limit of the model is missed; untested: the run cannot tell; none: it has no times of its own. */
export type TrustLevel = 'good' | 'limited' | 'untested' | 'none';

/** How far a run's replay can be trusted, as far as a badge says it. */
export interface Standing {
  state: 'none' | 'working' | 'ready' | 'failed';
  figures: { verdict: { level: TrustLevel; title: string } } | null;
}

/** How much sooner a step, or the run, ends. */
export interface Gain {
  gain_ns_per_percent: number;
  gain_percent_per_percent: number;
  bound_ns: number;
  bound_percent: number;
}

export interface SensitivityEntry {
  kind: string;
  name: string;
  events: number;
  longest: Place | null;
  total_ns: number;
  share_percent: number;
  step: Gain | null;
  run: Gain;
}

export interface Sensitivity {
  steps: number;
  step_ns: number | null;
  run_ns: number;
  kinds: { kind: string; groups: number; left_out: number; left_out_most_ns: number }[];
  entries: SensitivityEntry[];
}

const ROOT = '/api/v1/';

/** What the server refused, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw refusal(response.status, await response.text());
}

/** The server's own words, or its status where something before it answered. */
export function refusal(status: number, body: string): ApiError {
  try {
    const { detail, code } = JSON.parse(body) as { detail?: string; code?: string };
    if (detail) return new ApiError(status, code ?? '', detail);
  } catch {
    // Not our JSON: a proxy's page, say.
  }
  const reason =
    status === 413 ? 'The files are larger than the server takes.' : `The server answered ${status}.`;
  return new ApiError(status, '', reason);
}

/** GET `/api/v1/{path}` as JSON. Throws ApiError. */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(ROOT + path, { headers: { Accept: 'application/json' }, signal });
  return (await checked(response)).json() as Promise<T>;
}

/** GET `/api/v1/{path}` as bytes. Throws ApiError. */
export async function getBytes(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const response = await checked(await fetch(ROOT + path, { signal }));
  return new Uint8Array(await response.arrayBuffer());
}

/** POST, PATCH or DELETE with the page's CSRF token; a FormData body is sent as it is. Throws ApiError. */
export async function send<T>(method: string, path: string, csrf: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'X-CSRFToken': csrf, Accept: 'application/json' };
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers['Content-Type'] = 'application/json';
  const payload = isForm ? body : body === undefined ? undefined : JSON.stringify(body);
  const response = await checked(await fetch(ROOT + path, { method, headers, body: payload }));
  return (response.status === 204 ? undefined : await response.json()) as T;
}
