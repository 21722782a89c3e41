// Objects of the API as the tests of pages need them; each takes what it should differ in.

import type { EventDetail, Job, Run } from '../src/transport/api';

export function aRun(change: Partial<Run> = {}): Run {
  return {
    id: 'r1',
    project: 'demo',
    name: 'step-12',
    kind: 'measured',
    state: 'ready',
    error: '',
    ranks: 2,
    steps: 3,
    median_step_ns: 219_726_905,
    span_ns: 660_551_005,
    events: 40_573,
    gpu_events: 3774,
    quality: [],
    measured_run: null,
    replay: null,
    engine_version: '1',
    created_at: '2026-11-23T02:58:05Z',
    created_by: 'alice',
    job: null,
    url: '/p/demo/runs/r1/',
    layout_version: 'v1',
    tags: [],
    stale: false,
    stale_reason: '',
    originals: [],
    ...change,
  };
}

export function aJob(change: Partial<Job> = {}): Job {
  return { id: 'j1', state: 'queued', stage: '', done: 0, total: 0, number: 1, ...change };
}

export function anEvent(change: Partial<EventDetail> = {}): EventDetail {
  return {
    run: 'r1',
    trace: 0,
    row: 12,
    name: 'ncclKernel_SendRecv',
    name_code: 5,
    category: 'kernel',
    spellings: [],
    track: 3,
    start_ns: 4_812_000,
    dur_ns: 7_635_012,
    self_ns: 7_635_012,
    depth: 0,
    step: 'ProfilerStep#4',
    source_index: 1234,
    correlation: '9007199254740993',
    module: [],
    args: [],
    end_args: [],
    parents: [],
    launch: null,
    launched: [],
    measured: null,
    slack_ns: null,
    ...change,
  };
}
