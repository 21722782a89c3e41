// Replay: start the job, show how far it is, and end on the comparison of measured with predicted.

import { useEffect, useState } from 'preact/hooks';
import { getJson, type Run, send } from '../transport/api';
import { watchJob } from '../transport/jobs';
import { JobBar, type JobShown } from './JobBar';

export interface ReplayProps {
  /** The measured run. */
  run: Pick<Run, 'id' | 'project'>;
  csrf: string;
  label?: string;
  /** Where to go when the prediction is there; the page's location by default. */
  onDone?: (url: string) => void;
}

type Phase =
  | { at: 'idle' }
  | { at: 'working'; predicted: Run | null; job: JobShown }
  | { at: 'failed'; why: string };

const QUEUED: JobShown = { state: 'queued', stage: '', done: 0, total: 0 };

export function compareUrl(measured: Pick<Run, 'id' | 'project'>, predicted: Pick<Run, 'id'>): string {
  return `/p/${measured.project}/compare/${measured.id}/${predicted.id}/`;
}

export function ReplayButton({
  run,
  csrf,
  label = 'Replay',
  onDone = (url) => location.assign(url),
}: ReplayProps) {
  const [phase, setPhase] = useState<Phase>({ at: 'idle' });
  const failed = (why: string) => setPhase({ at: 'failed', why });

  const arrived = (predicted: Run) => {
    if (predicted.state === 'ready') onDone(compareUrl(run, predicted));
    else if (predicted.state === 'failed') failed(predicted.error);
    else setPhase({ at: 'working', predicted, job: predicted.job ?? QUEUED });
  };

  const start = () => {
    setPhase({ at: 'working', predicted: null, job: QUEUED });
    send<Run>('POST', `runs/${run.id}/replay/`, csrf).then(arrived, (error: Error) => failed(error.message));
  };

  const predicted = phase.at === 'working' ? phase.predicted : null;
  const jobId = predicted?.job?.id;
  useEffect(() => {
    if (!predicted?.job || !jobId) return;
    return watchJob(jobId, predicted.job.number, (event) => {
      if (event.state === 'succeeded') {
        getJson<Run>(`runs/${predicted.id}/`).then(arrived, (error: Error) => failed(error.message));
      } else if (event.state === 'failed' || event.state === 'cancelled') {
        failed(event.message || 'The replay was cancelled.');
      } else setPhase({ at: 'working', predicted, job: event });
    });
  }, [jobId]);

  if (phase.at === 'working') return <JobBar job={phase.job} />;
  return (
    <>
      {phase.at === 'failed' && (
        <span class="error cut" role="alert" title={phase.why}>
          {phase.why}
        </span>
      )}
      <button type="button" class="button primary compact" onClick={start}>
        {phase.at === 'failed' ? 'Replay again' : label}
      </button>
    </>
  );
}
