// The analysis of a run: the answer in a sentence, the picture that proves it, then the tables.

import { useEffect, useState } from 'preact/hooks';
import type { Run } from '../transport/api';
import { ApiError, getJson } from '../transport/api';
import { formatCount, formatDuration, formatPlural, formatShare } from '../ui/format';
import { Tabs } from '../ui/Tabs';
import { visible } from '../ui/text';
import { Breakdown } from './Breakdown';
import { FigureTable } from './FigureTable';
import {
  type Answer,
  type Chosen,
  chosenOf,
  type Parts,
  queryOf,
  type RankLaunches,
  type RankParts,
  type Straggler,
  searchOf,
} from './figures';
import { MemoryChart } from './MemoryChart';
import { TABLES, type TableKind } from './tables';

const FIRST = ['breakdown', 'launches', 'idle', 'collectives'];

/** An answer, or why there is none. The one before stays until the next has come. */
function useAnswer(run: Run, chosen: Chosen, sections: readonly string[]): [Answer | null, string] {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState('');
  const query = queryOf(chosen, sections);
  useEffect(() => {
    const gone = new AbortController();
    getJson<Answer>(`runs/${run.id}/analysis/?${query}`, gone.signal)
      .then((found) => {
        setAnswer(found);
        setProblem('');
      })
      .catch((error: unknown) => {
        if (!gone.signal.aborted)
          setProblem(error instanceof ApiError ? error.message : 'The server cannot be reached.');
      });
    return () => gone.abort();
  }, [run.id, query]);
  return [answer, problem];
}

export function AnalysisView({ run }: { run: Run }) {
  const [chosen, setChosen] = useState(() => chosenOf(location.search));
  const [table, setTable] = useState(() => tableOf(location.search, run));
  const [known] = useAnswer(run, { rank: null, step: null }, ['breakdown']);
  const [answer, problem] = useAnswer(run, chosen, FIRST);
  useEffect(() => history.replaceState(null, '', searchOf(chosen, table.id)), [chosen, table]);
  if (problem) return <Problem text={problem} />;
  if (!answer?.breakdown || !answer.launches) return <p class="muted">Computing…</p>;
  const { ranks } = answer.breakdown;
  const hasDevice = ranks.some(({ events }) => events > 0);
  return (
    <>
      <div class="page-head">
        <h1>Analysis</h1>
        <Choice known={known} chosen={chosen} onChoose={setChosen} />
      </div>
      {answer.placed === 'replay' && (
        <p class="muted">Times are not recorded: nodes are placed by their dependencies.</p>
      )}
      {hasDevice ? (
        <>
          <Verdicts ranks={answer.launches.ranks} parts={ranks} />
          <Waited ranks={answer.collectives?.stragglers.ranks ?? []} />
          <section class="analysis-part">
            <h2>Device time</h2>
            <Unlinked ranks={ranks} />
            <Breakdown ranks={ranks} timeline={run.url} />
          </section>
          <Idle section={answer.idle} />
        </>
      ) : (
        <>
          <p class="muted">Nothing ran on a device: only the host's operators are shown.</p>
          <Waited ranks={answer.collectives?.stragglers.ranks ?? []} />
        </>
      )}
      <Memory run={run} chosen={chosen} />
      <Tables run={run} chosen={chosen} table={table} onTable={setTable} />
    </>
  );
}

/** The table that the address names; else that of the kernels, or of the operators where nothing ran on a device. */
function tableOf(search: string, run: Run): TableKind {
  const named = new URLSearchParams(search).get('table') ?? (run.gpu_events ? 'kernels' : 'ops');
  return TABLES.find((kind) => kind.id === named) ?? TABLES[0];
}

function Problem({ text }: { text: string }) {
  return (
    <p class="run-banner error" role="alert">
      {visible(text, 2000)}
    </p>
  );
}

interface ChoiceProps {
  known: Answer | null;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

function Choice({ known, chosen, onChoose }: ChoiceProps) {
  if (!known) return null;
  return (
    <div class="button-row">
      {known.ranks.length > 1 && (
        <Select
          label="Rank"
          all="All ranks"
          value={chosen.rank}
          onChoose={(rank) => onChoose({ ...chosen, rank })}
          options={known.ranks.filter((rank): rank is number => rank !== null)}
        />
      )}
      {known.steps.length > 0 && (
        <Select
          label="Step"
          all="All steps"
          value={chosen.step}
          onChoose={(step) => onChoose({ ...chosen, step })}
          options={known.steps}
        />
      )}
    </div>
  );
}

interface SelectProps {
  label: string;
  all: string;
  value: number | null;
  options: readonly number[];
  onChoose: (value: number | null) => void;
}

function Select({ label, all, value, options, onChoose }: SelectProps) {
  return (
    <select
      class="input"
      aria-label={label}
      value={value === null ? '' : String(value)}
      onChange={(event) =>
        onChoose(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))
      }
    >
      <option value="">{all}</option>
      {options.map((option) => (
        <option key={option} value={String(option)}>
          {label} {option}
        </option>
      ))}
    </select>
  );
}

/** Who holds up whom, and why that is said; ranks of one mind share a line. */
function Verdicts({ ranks, parts }: { ranks: readonly RankLaunches[]; parts: readonly RankParts[] }) {
  const known = ranks.filter((rank) => rank.verdict !== null);
  const shares = <p>{sharesOf(parts)}</p>;
  if (!known.length) return shares;
  const bounds = [...new Set(known.map(({ verdict }) => verdict?.bound))];
  return (
    <section class="analysis-part">
      {bounds.map((bound) => {
        const agree = known.filter(({ verdict }) => verdict?.bound === bound);
        return (
          <div key={bound}>
            <p class="large-figure">
              {bound}
              {bounds.length > 1 && <span class="muted"> {formatPlural(agree.length, 'rank')}</span>}
            </p>
            <p>
              {agree.length > 1 && `Rank ${agree[0].rank ?? '?'}: `}
              {agree[0].verdict?.reason}.
            </p>
            <p class="muted">
              Total launch and queueing time {formatDuration(sum(agree.map((rank) => rank.tklqt_ns)))}.
            </p>
          </div>
        );
      })}
      {shares}
    </section>
  );
}

/** The device's time in one sentence. */
function sharesOf(parts: readonly Parts[]): string {
  const window = Math.max(sum(parts.map((part) => part.window_ns)), 1);
  const share = (key: 'idle_ns' | 'exposed_communication_ns') =>
    formatShare((100 * sum(parts.map((part) => part[key]))) / window);
  const communicates = parts.some((part) => part.communication_ns > 0);
  const alone = communicates
    ? ` and communicates with nothing beside it ${share('exposed_communication_ns')}`
    : '';
  return `The device is idle ${share('idle_ns')} of its time${alone}.`;
}

/** Who keeps the others waiting, if anybody does. */
function Waited({ ranks }: { ranks: readonly Straggler[] }) {
  const waited = sum(ranks.map((rank) => rank.caused_wait_ns));
  if (!waited) return null;
  const worst = ranks.reduce((a, b) => (b.caused_wait_ns > a.caused_wait_ns ? b : a));
  return (
    <p>
      In collectives ranks wait {formatDuration(waited)} in all for the last to come,{' '}
      {formatDuration(worst.caused_wait_ns)} of it for rank {worst.rank ?? '?'}.
    </p>
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function Unlinked({
  ranks,
}: {
  ranks: readonly { events: number; unlinked: number; unlinked_ns: number }[];
}) {
  const unlinked = sum(ranks.map((rank) => rank.unlinked));
  const events = sum(ranks.map((rank) => rank.events));
  if (!unlinked) return null;
  return (
    <p class="warning-text">
      {formatPlural(unlinked, 'device event')} of {formatCount(events)} (
      {formatShare((100 * unlinked) / events)}) without a launch in the trace,{' '}
      {formatDuration(sum(ranks.map((rank) => rank.unlinked_ns)))} of busy time: in no step, operator or
      module.
    </p>
  );
}

interface IdleRank {
  rank: number | null;
  idle_ns: number;
  host_wait_ns: number;
  kernel_wait_ns: number;
  other_ns: number;
}

/** Why the device as a whole was idle. */
function Idle({ section }: { section: unknown }) {
  const { ranks } = section as { ranks: IdleRank[] };
  const idle = sum(ranks.map((rank) => rank.idle_ns));
  if (!idle) return null;
  const part = (ns: number) => `${formatDuration(ns)} (${formatShare((100 * ns) / idle)})`;
  return (
    <section class="analysis-part">
      <h2>Why it was idle</h2>
      <table class="figures idle-causes">
        <caption class="sr-only">Why the device was idle: time, and share of all idle time</caption>
        <tbody>
          <tr>
            <th scope="row">the host was late</th>
            <td>{part(sum(ranks.map((rank) => rank.host_wait_ns)))}</td>
          </tr>
          <tr>
            <th scope="row">between queued kernels</th>
            <td>{part(sum(ranks.map((rank) => rank.kernel_wait_ns)))}</td>
          </tr>
          <tr>
            <th scope="row">other: held up by an event, another stream, another rank</th>
            <td>{part(sum(ranks.map((rank) => rank.other_ns)))}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Memory({ run, chosen }: { run: Run; chosen: Chosen }) {
  const [answer] = useAnswer(run, chosen, ['memory']);
  const devices = (answer?.memory?.ranks ?? []).flatMap(({ rank, devices: found }) =>
    found.map((device) => ({ rank, device })),
  );
  if (!devices.length) return null;
  const several = (answer?.ranks.length ?? 0) > 1;
  return (
    <section class="analysis-part">
      <h2>Memory</h2>
      <div class="charts">
        {devices.slice(0, 16).map(({ rank, device }) => {
          const name = device.device >= 0 ? `${device.device_type} ${device.device}` : device.device_type;
          const label = several ? `rank ${rank ?? '?'}, ${name}` : name;
          return <MemoryChart key={label} label={label} device={device} timeline={run.url} />;
        })}
      </div>
    </section>
  );
}

interface TablesProps {
  run: Run;
  chosen: Chosen;
  table: TableKind;
  onTable: (kind: TableKind) => void;
}

function Tables({ run, chosen, table, onTable }: TablesProps) {
  const [answer, problem] = useAnswer(run, chosen, [table.section]);
  const section = answer?.[table.section];
  return (
    <section class="analysis-part">
      <h2>Tables</h2>
      <Tabs
        label="Tables"
        tabs={TABLES}
        chosen={table.id}
        onChoose={(id) => onTable(TABLES.find((kind) => kind.id === id) ?? TABLES[0])}
      >
        {problem && <Problem text={problem} />}
        {section ? (
          <FigureTable key={table.id} kind={table} lines={table.lines(section)} timeline={run.url} />
        ) : (
          <p class="muted">Computing…</p>
        )}
      </Tabs>
    </section>
  );
}
