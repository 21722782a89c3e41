// What a step, or the run, would gain from each kernel, operator, module, group and gap: a table with bars.

import { useMemo, useState } from 'preact/hooks';
import type { Run, Sensitivity } from '../transport/api';
import { formatCount, formatDuration, formatShare } from '../ui/format';
import { visible } from '../ui/text';
import { type Choice, type Column, type Line, linesOf, type Of, sortedBy } from './ranking';

const NAME_LIMIT = 300;

const COLUMNS: readonly { column: Column; text: string; help?: string }[] = [
  { column: 'name', text: 'Name' },
  { column: 'kind', text: 'Kind' },
  { column: 'events', text: 'Events' },
  { column: 'time', text: 'Its time' },
  { column: 'gain', text: 'Gained per 1 %', help: 'How much sooner it ends when 1 % of this time is saved' },
  { column: 'bound', text: 'At most', help: 'How much sooner it ends when this takes no time at all' },
];

export function SensitivityView({ run, figures }: { run: Run; figures: Sensitivity }) {
  const [choice, setChoice] = useState<Choice>({
    of: figures.steps ? 'step' : 'run',
    kind: null,
    text: '',
    column: 'gain',
    isAscending: false,
  });
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
        <p>No line has this.</p>
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
  const most = lines.reduce((best, { gain }) => Math.max(best, gain.gain_ns_per_percent), 0);
  return (
    <div class="list-frame">
      <table class="table sensitivity">
        <thead>
          <tr>
            {COLUMNS.map(({ column, text, help }) => (
              <Heading
                key={column}
                column={column}
                text={text}
                help={help}
                choice={choice}
                onChoose={onChoose}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ entry, gain }) => (
            <tr key={`${entry.kind} ${entry.name}`}>
              <td class="name">
                <Name run={run} line={{ entry, gain }} />
              </td>
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
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading(props: { column: Column; text: string; help?: string } & Choosing) {
  const { column, text, help, choice, onChoose } = props;
  const isChosen = choice.column === column;
  const isText = column === 'name' || column === 'kind';
  return (
    <th
      scope="col"
      class={`col-${column} ${isText ? '' : 'figure'}`}
      title={help}
      aria-sort={isChosen ? (choice.isAscending ? 'ascending' : 'descending') : undefined}
    >
      <button type="button" class="link" onClick={() => onChoose(sortedBy(choice, column))}>
        {text}
        {isChosen ? (choice.isAscending ? ' ▴' : ' ▾') : ''}
      </button>
    </th>
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
