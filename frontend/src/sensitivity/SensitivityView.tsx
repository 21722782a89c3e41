// What a step, or the run, would gain from each kernel, operator, module, group and gap: a table with bars.

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Run, Sensitivity } from '../transport/api';
import { formatCount, formatDuration, formatShare } from '../ui/format';
import { Meanings } from '../ui/Meanings';
import { FIRST, More } from '../ui/More';
import { type Sorted, SortHeading } from '../ui/SortHeading';
import { visible } from '../ui/text';
import {
  type Choice,
  type Column,
  choiceOf,
  type Line,
  linesOf,
  type Of,
  searchOf,
  sortedBy,
} from './ranking';

const NAME_LIMIT = 300;

const COLUMNS: readonly { column: Column; label: string; title: string }[] = [
  { column: 'name', label: 'Name', title: 'Opens its longest event in the timeline' },
  {
    column: 'kind',
    label: 'Kind',
    title:
      'Kernels by name; operators and modules with the device work launched in them; ' +
      'collectives by group; host work by name; gaps: all that is no work, by cause',
  },
  { column: 'events', label: 'Events', title: 'How many, in the whole run and all ranks' },
  {
    column: 'time',
    label: 'Its time',
    title: 'Durations added up over all ranks, and the share of all lines of its kind',
  },
  {
    column: 'gain',
    label: 'Gained per 1 %',
    title: 'How much sooner the step, or the run, ends when 1 % of this time is saved',
  },
  {
    column: 'bound',
    label: 'At most',
    title: 'How much sooner it ends when this takes no time at all, and the share of the step, or the run',
  },
];

export function SensitivityView({ run, figures }: { run: Run; figures: Sensitivity }) {
  const [choice, setChoice] = useState<Choice>(() => choiceOf(location.search, figures.steps > 0));
  useEffect(() => history.replaceState(null, '', searchOf(choice)), [choice]);
  const lines = useMemo(() => linesOf(figures.entries, choice), [figures, choice]);
  const whole = choice.of === 'step' ? figures.step_ns : figures.run_ns;
  return (
    <>
      <div class="page-head">
        <h1>What would make it faster</h1>
        <OfWhat steps={figures.steps} choice={choice} onChoose={setChoice} />
        <Filter figures={figures} choice={choice} onChoose={setChoice} />
      </div>
      <p class="muted">
        {choice.of === 'step' ? 'The median step takes' : 'The run takes'} {formatDuration(whole)}. Each line
        is the answer of two replays of the whole run: with 1 % of its time saved, and with none of it left.
      </p>
      {lines.length ? (
        <Table run={run} lines={lines} choice={choice} onChoose={setChoice} />
      ) : (
        <p>
          No line has this.{' '}
          <button
            type="button"
            class="button compact"
            onClick={() => setChoice({ ...choice, kind: null, text: '' })}
          >
            Show all
          </button>
        </p>
      )}
      <LeftOut figures={figures} kind={choice.kind} />
    </>
  );
}

interface Choosing {
  choice: Choice;
  onChoose: (next: Choice) => void;
}

function OfWhat({ steps, choice, onChoose }: { steps: number } & Choosing) {
  if (!steps) return null;
  const button = (of: Of, text: string) => (
    <button
      type="button"
      class="button quiet"
      aria-pressed={choice.of === of}
      onClick={() => onChoose({ ...choice, of })}
    >
      {text}
    </button>
  );
  return (
    <fieldset class="axis-choice" aria-label="Gain of">
      {button('step', 'median step')}
      {button('run', 'whole run')}
    </fieldset>
  );
}

function Filter({ figures, choice, onChoose }: { figures: Sensitivity } & Choosing) {
  const kinds = figures.kinds.filter((kind) => kind.groups > 0);
  return (
    <search class="search filter">
      <select
        class="input"
        aria-label="Kind"
        value={choice.kind ?? ''}
        onChange={(event) => onChoose({ ...choice, kind: event.currentTarget.value || null })}
      >
        <option value="">all kinds</option>
        {kinds.map(({ kind, groups }) => (
          <option key={kind} value={kind}>
            {kind} ({formatCount(groups)})
          </option>
        ))}
      </select>
      <input
        class="input"
        type="search"
        aria-label="Filter by name"
        placeholder="Filter by name"
        value={choice.text}
        onInput={(event) => onChoose({ ...choice, text: event.currentTarget.value })}
      />
    </search>
  );
}

function Table({ run, lines, choice, onChoose }: { run: Run; lines: readonly Line[] } & Choosing) {
  const [shown, setShown] = useState(FIRST);
  const most = lines.reduce((best, { gain }) => Math.max(best, gain.gain_ns_per_percent), 0);
  return (
    <>
      <div class="list-frame">
        <table class="table sensitivity">
          <caption class="sr-only">What the {choice.of} gains, by kernel, operator, module and gap</caption>
          <thead>
            <tr>
              {COLUMNS.map(({ column, label, title }) => (
                <SortHeading
                  key={column}
                  label={label}
                  title={title}
                  class={`col-${column}${column === 'name' || column === 'kind' ? '' : ' figure'}`}
                  sorted={sortedOf(choice, column)}
                  onSort={() => onChoose(sortedBy(choice, column))}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.slice(0, shown).map((line) => (
              <Row key={`${line.entry.kind} ${line.entry.name}`} run={run} line={line} most={most} />
            ))}
          </tbody>
        </table>
      </div>
      <More shown={Math.min(shown, lines.length)} total={lines.length} onMore={setShown} />
      <Meanings columns={COLUMNS} />
    </>
  );
}

function sortedOf(choice: Choice, column: Column): Sorted {
  if (choice.column !== column) return undefined;
  return choice.isAscending ? 'ascending' : 'descending';
}

/** `most` is the largest gain of all lines, which fills the bar. */
function Row({ run, line, most }: { run: Run; line: Line; most: number }) {
  const { entry, gain } = line;
  return (
    <tr>
      <th scope="row" class="name">
        <Name run={run} line={line} />
      </th>
      <td>{entry.kind}</td>
      <td class="figure">{formatCount(entry.events)}</td>
      <td class="figure">
        {formatDuration(entry.total_ns)} <span class="muted">{formatShare(entry.share_percent)}</span>
      </td>
      <td class="figure">
        {formatDuration(gain.gain_ns_per_percent)}
        <progress aria-hidden="true" max={most || 1} value={Math.max(0, gain.gain_ns_per_percent)} />
      </td>
      <td class="figure">
        {formatDuration(gain.bound_ns)} <span class="muted">{formatShare(gain.bound_percent)}</span>
      </td>
    </tr>
  );
}

/** A way to its longest event in the timeline, where it has events. */
function Name({ run, line: { entry } }: { run: Run; line: Line }) {
  const text = <bdi>{visible(entry.name.replaceAll('_', entry.kind === 'gap' ? ' ' : '_'), NAME_LIMIT)}</bdi>;
  if (!entry.longest) return text;
  const { trace, row } = entry.longest;
  return (
    <a href={`${run.url}?event=${trace}.${row}`} title="Show its longest event in the timeline">
      {text}
    </a>
  );
}

function LeftOut({ figures, kind }: { figures: Sensitivity; kind: string | null }) {
  const cut = figures.kinds.filter((one) => one.left_out && (kind ?? one.kind) === one.kind);
  return (
    <>
      {cut.map((one) => (
        <p class="muted" key={one.kind}>
          {formatCount(one.left_out)} of {formatCount(one.groups)} of kind {one.kind} were not replayed: none
          of them takes, or could gain, more than {formatDuration(one.left_out_most_ns)}.
        </p>
      ))}
    </>
  );
}
