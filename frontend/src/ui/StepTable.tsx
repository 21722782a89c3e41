// Steps of a pair of runs: how long each took in both, and the error with its sign.

import { formatDuration, formatPercent, type Nanoseconds } from './format';
import { visible } from './text';

export interface StepRow {
  rank: number | null;
  name: string;
  measured_ns: Nanoseconds;
  predicted_ns: Nanoseconds;
  error_percent: number;
}

export interface StepTableProps {
  steps: readonly StepRow[];
  /** The row of the whole run, shown last. */
  total?: Omit<StepRow, 'rank' | 'name'>;
  headings?: readonly [string, string];
  /** What the second is to the first: the `error` of a prediction, the `difference` of another run. */
  percent?: string;
  onGo?: (index: number) => void;
}

export function StepTable({
  steps,
  total,
  headings = ['measured', 'predicted'],
  percent = 'error',
  onGo,
}: StepTableProps) {
  const manyRanks = new Set(steps.map((step) => step.rank)).size > 1;
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">{headings[0]}</th>
          <th scope="col">{headings[1]}</th>
          <th scope="col">{percent}</th>
        </tr>
      </thead>
      <tbody>
        {steps.map((step, i) => (
          <tr key={i}>
            <td>
              <Name text={stepLabel(step, manyRanks)} onGo={onGo && (() => onGo(i))} />
            </td>
            <Figures {...step} />
          </tr>
        ))}
        {total && (
          <tr class="total">
            <td>whole run</td>
            <Figures {...total} />
          </tr>
        )}
      </tbody>
    </table>
  );
}

/** `ProfilerStep#4` -> `4`, with its rank where there are several. */
export function stepLabel(step: Pick<StepRow, 'rank' | 'name'>, manyRanks: boolean): string {
  const name = visible(step.name.replace(/^ProfilerStep#/, ''), 40);
  return manyRanks && step.rank !== null ? `${name}, rank ${step.rank}` : name;
}

function Name({ text, onGo }: { text: string; onGo?: () => void }) {
  if (!onGo) return <bdi>{text}</bdi>;
  return (
    <button type="button" class="link" onClick={onGo}>
      <bdi>{text}</bdi>
    </button>
  );
}

function Figures({ measured_ns, predicted_ns, error_percent }: Omit<StepRow, 'rank' | 'name'>) {
  return (
    <>
      <td>{formatDuration(measured_ns)}</td>
      <td>{formatDuration(predicted_ns)}</td>
      <td class={error_percent > 0 ? 'slower' : error_percent < 0 ? 'faster' : ''}>
        {formatPercent(error_percent)}
      </td>
    </>
  );
}
