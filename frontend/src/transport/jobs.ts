// A job's events, each once and in order, over the websocket or by polling.

import type { JobEvent } from '../protocol/messages_pb';
import { getJson, type JobState, type Run } from './api';
import { type Connection, connection } from './connection';

/** One numbered event of a job; `done` of `total` is in the stage's own unit, total 0 = unknown. */
export interface JobProgress {
  job: string;
  number: number;
  state: JobState;
  stage: string;
  done: number;
  total: number;
  message: string;
  run: string;
}

const POLL_MS = 1000;

export function isOver(state: JobState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** Whether something is being done to the run right now; a ready run may be read again meanwhile. */
export function isBusy({ state, job }: Pick<Run, 'state' | 'job'>): boolean {
  return state === 'reading' || (job !== null && !isOver(job.state));
}

/**
 * Follow job `id`: `callback` gets every event numbered above `after`, once, in order, until the job is over.
 * A lost connection resumes after the last number seen. Returns the way to stop.
 */
export function watchJob(id: string, after: number, callback: (event: JobProgress) => void): () => void {
  return new JobWatch(id, after, callback, connection()).stop;
}

export class JobWatch {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private unlisten: () => void = () => {};
  private stopped = false;

  constructor(
    private readonly id: string,
    private last: number,
    private readonly callback: (event: JobProgress) => void,
    private readonly link: Connection,
    private readonly poll: (path: string) => Promise<JobProgress[]> = getJson,
  ) {
    this.timer = setTimeout(this.pollWhileClosed, POLL_MS);
    this.unlisten = link.listen(
      () => this.subscribe(),
      (message) => {
        if (message.kind.case === 'jobEvent' && message.kind.value.job === id) {
          this.take(fromWire(message.kind.value));
        }
      },
    );
  }

  readonly stop = (): void => {
    this.stopped = true;
    clearTimeout(this.timer);
    this.unlisten();
  };

  private subscribe(): void {
    this.link.send({ case: 'watch', value: { jobs: [{ job: this.id, after: this.last }] } });
  }

  private take(event: JobProgress): void {
    if (this.stopped || event.number <= this.last) return;
    this.last = event.number;
    if (isOver(event.state)) this.stop();
    this.callback(event);
  }

  private readonly pollWhileClosed = async (): Promise<void> => {
    if (!this.link.isOpen) {
      const events = await this.poll(`jobs/${this.id}/events/?after=${this.last}`).catch(() => []);
      for (const event of events) this.take(event);
    }
    if (!this.stopped) this.timer = setTimeout(this.pollWhileClosed, POLL_MS);
  };
}

function fromWire(event: JobEvent): JobProgress {
  const { job, number, stage, message, run } = event;
  const state = event.state as JobState;
  return { job, number, state, stage, message, run, done: Number(event.done), total: Number(event.total) };
}
