// The page's runs and uploads as signals, and what can be done to them. Knows no elements.

import { signal } from '@preact/signals';
import { askWith, type Desk } from '../run/desk';
import { ApiError, getJson, type Run, send } from '../transport/api';
import { isBusy, isOver, type JobProgress, watchJob } from '../transport/jobs';
import type { JobShown } from '../ui/JobBar';
import { visible } from '../ui/text';
import { Batch } from '../uploads/batch';
import { runName, type TraceFile } from '../uploads/files';
import { discard, findUnfinished, type Unfinished } from '../uploads/unfinished';

export interface Upload {
  key: number;
  name: string;
  files: readonly TraceFile[];
  sentBytes: number;
  totalBytes: number;
  phase: 'sending' | 'waiting' | 'paused' | 'failed';
  error: string;
}

export interface ProjectRuns {
  slug: string;
  csrf: string;
  runs: Run[];
}

const REFRESH_AGAIN_MS = 2000;

export class RunList implements Desk {
  readonly runs = signal<readonly Run[]>([]);
  readonly uploads = signal<readonly Upload[]>([]);
  /** What an earlier page left behind on its way. */
  readonly unfinished = signal<readonly Unfinished[]>([]);
  /** The last change, as a sentence for a screen reader. */
  readonly news = signal('');
  /** Why the last thing asked for was not done. */
  readonly problem = signal('');

  private readonly batches = new Map<number, Batch>();
  private readonly watches = new Map<string, () => void>();
  private lastKey = 0;

  constructor(
    private readonly page: ProjectRuns,
    private readonly watch = watchJob,
  ) {
    this.runs.value = page.runs;
    for (const run of page.runs) this.follow(run);
  }

  get csrf(): string {
    return this.page.csrf;
  }

  /** Upload the files as the ranks of one new run. */
  async add(files: readonly TraceFile[], name = runName(files.map((file) => file.path))): Promise<void> {
    if (files.length === 0) return;
    const key = ++this.lastKey;
    const batch = new Batch(files, { ...this.page, run: name }, ({ sentBytes, isWaiting }) =>
      this.changeUpload(key, { sentBytes, phase: isWaiting ? 'waiting' : 'sending' }),
    );
    const { totalBytes } = batch;
    const upload = { key, name, files, sentBytes: 0, totalBytes, phase: 'sending', error: '' } as const;
    this.uploads.value = [upload, ...this.uploads.value];
    this.news.value = `Uploading ${visible(name)}`;
    this.batches.set(key, batch);
    await this.send(upload);
  }

  pauseUpload(key: number): void {
    this.batches.get(key)?.stop();
    this.changeUpload(key, { phase: 'paused' });
  }

  cancelUpload(key: number): void {
    this.batches.get(key)?.cancel();
    this.dropUpload(key);
  }

  /** Go on after a pause or a failure, from what has arrived. */
  async resumeUpload(upload: Upload): Promise<void> {
    this.changeUpload(upload.key, { phase: 'sending', error: '' });
    await this.send(upload);
  }

  /** Look for what an earlier page left on its way. */
  async findUnfinished(): Promise<void> {
    this.unfinished.value = await findUnfinished(this.page.slug);
  }

  async discard(left: Unfinished): Promise<void> {
    this.unfinished.value = this.unfinished.value.filter((one) => one !== left);
    await discard(left, this.page.csrf);
  }

  /** Stop reading; what the server makes of the run is fetched. */
  cancelReading(run: Run): Promise<void> {
    return this.ask(async () => {
      if (run.job) await send('POST', `jobs/${run.job.id}/cancel/`, this.page.csrf);
      await this.refresh(run.id);
    });
  }

  changed(run: Run): void {
    if (run.project !== this.page.slug) {
      this.drop(run.id);
      this.news.value = `Moved ${visible(run.name)}`;
      return;
    }
    this.put(run);
    this.follow(run);
    this.news.value = `Changed ${visible(run.name)}`;
  }

  removed(run: Run): void {
    this.drop(run.id);
    this.news.value = `Deleted ${visible(run.name)}`;
  }

  ask(what: () => Promise<void>): Promise<void> {
    return askWith(this.problem, what);
  }

  private async send({ key, name }: Upload): Promise<void> {
    const batch = this.batches.get(key);
    if (!batch) return;
    try {
      await batch.takeUp();
      void this.findUnfinished(); // what was taken up is no longer left behind
      const run = await batch.make((uploads) =>
        send<Run>('POST', `projects/${this.page.slug}/runs/`, this.page.csrf, { name, uploads }),
      );
      this.dropUpload(key);
      this.put(run);
      this.follow(run);
    } catch (error) {
      this.uploadFailed(key, error);
    }
  }

  private follow(run: Run): void {
    this.watches.get(run.id)?.();
    if (!isBusy(run) || !run.job) return;
    const stop = this.watch(run.job.id, run.job.number, (event) => {
      if (isOver(event.state)) void this.refresh(run.id);
      else this.progress(run.id, event);
    });
    this.watches.set(run.id, stop);
  }

  private progress(id: string, event: JobProgress): void {
    const run = this.runs.value.find((one) => one.id === id);
    if (run?.job) this.put({ ...run, job: { ...run.job, ...jobOf(event) } });
  }

  /** Fetch what a run has become; until the server says, the row stays as it is. */
  private async refresh(id: string): Promise<void> {
    const run = await getJson<Run>(`runs/${id}/`).catch((error: unknown) => {
      // A cancelled run may be gone altogether.
      if (error instanceof ApiError && error.status === 404) this.drop(id);
      else setTimeout(() => this.refresh(id), REFRESH_AGAIN_MS);
      return null;
    });
    if (!run) return;
    this.put(run);
    this.news.value = `${visible(run.name)}: ${run.state}`;
    if (isBusy(run)) setTimeout(() => this.refresh(id), REFRESH_AGAIN_MS);
    else this.watches.delete(id);
  }

  private put(run: Run): void {
    const known = this.runs.value.some((one) => one.id === run.id);
    this.runs.value = known
      ? this.runs.value.map((one) => (one.id === run.id ? run : one))
      : [run, ...this.runs.value];
  }

  private drop(id: string): void {
    this.watches.get(id)?.();
    this.watches.delete(id);
    this.runs.value = this.runs.value.filter((one) => one.id !== id && one.measured_run !== id);
  }

  private changeUpload(key: number, change: Partial<Upload>): void {
    this.uploads.value = this.uploads.value.map((one) => (one.key === key ? { ...one, ...change } : one));
  }

  private dropUpload(key: number): void {
    this.batches.delete(key);
    this.uploads.value = this.uploads.value.filter((one) => one.key !== key);
  }

  private uploadFailed(key: number, error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'cancelled' || error.code === 'paused') return;
    this.changeUpload(key, { phase: 'failed', error: error.message });
    this.news.value = `Upload failed: ${error.message}`;
  }
}

function jobOf({ state, stage, done, total, number }: JobProgress): JobShown & { number: number } {
  return { state, stage, done, total, number };
}
