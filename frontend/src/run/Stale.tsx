import type { Run } from '../transport/api';
import { visible } from '../ui/text';

/** What was computed from a state of the run that is no more. */
export function Stale({ run }: { run: Run }) {
  return (
    <span class="badge warning" title={visible(run.stale_reason, 400)}>
      stale
    </span>
  );
}
