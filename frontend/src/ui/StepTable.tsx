// Steps of a pair of runs: how long each took in both, and the error with its sign.

import { useState } from 'preact/hooks';
import { formatCount, formatDuration, formatPercent, type Nanoseconds } from './format';
import { FEW_STEPS, furthestOff } from './steps';
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
  const [isWhole, setWhole] = useState(false);
  const manyRanks = new Set(steps.map((step) => step.rank)).size > 1;
  const shown = isWhole ? [...steps.keys()] : furthestOff(steps.map((step) => step.error_percent));
  return (
    <>
      <table class="figures">
        <caption class="sr-only">
          Each step: {headings[0]}, {headings[1]}, and the {percent}
        </caption>
        <thead>
          <tr>
            <th scope="col">step</th>
            <th scope="col">{headings[0]}</th>
            <th scope="col">{headings[1]}</th>
            <th scope="col">{percent}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((i) => (
            <tr key={i}>
              <th scope="row">
                <Name text={stepLabel(steps[i], manyRanks)} onGo={onGo && (() => onGo(i))} />
              </th>
              <Figures {...steps[i]} />
            </tr>
          ))}
          {total && (
            <tr class="total">
              <th scope="row">whole run</th>
              <Figures {...total} />
            </tr>
          )}
        </tbody>
      </table>
      <MoreSteps total={steps.length} isWhole={isWhole} onTurn={() => setWhole(!isWhole)} />
    </>
  );
}

interface MoreStepsProps {
  total: number;
  isWhole: boolean;
  onTurn: () => void;
}

/** Below a table of steps: that it shows a few of them, and the way to all. */
export function MoreSteps({ total, isWhole, onTurn }: MoreStepsProps) {
  if (total <= FEW_STEPS) return null;
  return (
    <p class="more">
      <button type="button" class="button compact" aria-expanded={isWhole} onClick={onTurn}>
        {isWhole ? 'Show few' : `Show all ${formatCount(total)}`}
      </button>
      {!isWhole && <span class="muted">the {FEW_STEPS} furthest off</span>}
    </p>
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
