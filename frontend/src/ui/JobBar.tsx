import type { JobState } from '../transport/api';

export interface JobShown {
  state: JobState;
  stage: string;
  done: number;
  total: number;
}

/** `reading 42 %`; a stage of unknown length shows its name alone. */
export function jobText({ state, stage, done, total }: JobShown): string {
  if (state === 'queued') return 'waiting for a worker';
  const share = total > 0 ? ` ${Math.floor((100 * done) / total)} %` : '';
  return `${stage || 'starting'}${share}`;
}

/** A job's stage and how far it is, in the height of two lines whatever it says. */
export function JobBar({ job }: { job: JobShown }) {
  const text = jobText(job);
  const known = job.total > 0 ? { value: job.done, max: job.total } : {};
  return (
    <div class="progress">
      <div class="progress-line">{text}</div>
      <progress aria-label={text} {...known} />
    </div>
  );
}
