// The page *How far can I trust this*: asks for the assessment, shows how far that is, then the verdict.

import { useEffect, useState } from 'preact/hooks';
import type { TimelinePage } from '../page';
import { getJson, send } from '../transport/api';
import { connection } from '../transport/connection';
import { isOver, watchJob } from '../transport/jobs';
import { ConnectionBanner } from '../ui/ConnectionBanner';
import { JobBar } from '../ui/JobBar';
import { visible } from '../ui/text';
import type { Assessment } from './figures';
import { Report } from './Report';

export function TrustView({ page }: { page: TimelinePage }) {
  const { run } = page;
  const [found, setFound] = useState<Assessment | null>(null);
  const [problem, setProblem] = useState('');
  const address = `runs/${run.id}/trust/`;
  const take = (answer: Promise<Assessment>) =>
    answer.then(setFound, (error: Error) => setProblem(error.message));
  const ask = () => take(send<Assessment>('POST', address, page.csrf));

  useEffect(() => void take(getJson<Assessment>(address)), []);
  const isWanted = found && found.state !== 'working' && found.state !== 'failed' && !found.is_of_now;
  useEffect(() => {
    if (isWanted && page.can_edit && run.state === 'ready') void ask();
  }, [isWanted]);
  const job = found?.state === 'working' ? found.job : null;
  useEffect(() => {
    if (!job) return;
    return watchJob(job.id, job.number, (event) => {
      if (isOver(event.state)) void take(getJson<Assessment>(address));
      else setFound((last) => last && { ...last, job: { ...event, id: job.id } });
    });
  }, [job?.id]);

  return (
    <>
      <ConnectionBanner status={connection().status} />
      {problem && (
        <p class="error" role="alert">
          {visible(problem, 2000)}
        </p>
      )}
      {job && (
        <div class="trust-working">
          <p>Replaying the run with and without each part of the model…</p>
          <JobBar job={job} />
        </div>
      )}
      {found && <Standing found={found} canEdit={page.can_edit} onAsk={ask} />}
      {found?.figures && <Report figures={found.figures} runUrl={run.url} />}
    </>
  );
}

/** What is to be said besides the figures: that there are none, that they are old, or that the job failed. */
function Standing({ found, canEdit, onAsk }: { found: Assessment; canEdit: boolean; onAsk: () => void }) {
  if (found.state === 'failed') {
    return (
      <p class="error" role="alert">
        {visible(found.error, 2000)}{' '}
        {canEdit && (
          <button type="button" class="button compact" onClick={onAsk}>
            Try again
          </button>
        )}
      </p>
    );
  }
  if (found.state === 'none' && !canEdit) {
    return <p class="notice">Nobody has asked yet how far this run can be trusted; who may edit it can.</p>;
  }
  if (found.figures && !found.is_of_now) {
    return (
      <p class="muted">
        The run has been read again since, or the program is another: these figures are old.
      </p>
    );
  }
  return null;
}
