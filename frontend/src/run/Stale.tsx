// What was computed from a state of the run that is no more: marked, with the way to have it anew.

import type { Run } from '../transport/api';
import { ReplayButton } from '../ui/ReplayButton';
import { visible } from '../ui/text';

const REASON_LIMIT = 400;

export function Stale({ run }: { run: Run }) {
  return (
    <span class="badge warning" title={visible(run.stale_reason, REASON_LIMIT)}>
      stale
    </span>
  );
}

interface StaleBannerProps {
  run: Run;
  csrf: string;
  canEdit: boolean;
}

/** One line on a page that shows a stale prediction. Replaying makes another beside it, which the page then opens. */
export function StaleBanner({ run, csrf, canEdit }: StaleBannerProps) {
  if (!run.stale || !run.measured_run) return null;
  const measured = { id: run.measured_run, project: run.project };
  return (
    <div class="run-banner still" role="status">
      <span class="cut">This prediction is stale: {visible(run.stale_reason, REASON_LIMIT)}</span>
      {canEdit && <ReplayButton run={measured} csrf={csrf} label="Replay anew" />}
    </div>
  );
}
