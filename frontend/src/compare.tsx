import './ui/style.css';
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type AxisMode, offsetAt, referenceSteps } from './diff/align';
import { type ComparePage, mount, readPage } from './page';
import { TrustBadge } from './run/Badges';
import { StaleBanner } from './run/Stale';
import {
  type ClockMode,
  type Comparison,
  getJson,
  type Layout,
  type ReplayReport,
  type Run,
} from './transport/api';
import { connection } from './transport/connection';
import { ConnectionBanner } from './ui/ConnectionBanner';
import { DetailsPanel } from './ui/DetailsPanel';
import { formatDuration, formatPercent, formatShare } from './ui/format';
import { HelpSheet } from './ui/HelpSheet';
import { NARROW, Panel, PanelOpener } from './ui/Panel';
import { PathTable } from './ui/PathTable';
import { StepTable } from './ui/StepTable';
import { visible } from './ui/text';
import { ClockChoice, clockOf, furthestOff, onClock } from './viewer/ClockChoice';
import { HELP, inTabs, Notice, NotReady, placeOf } from './viewer/page_parts';
import { loadLayout, RunPane } from './viewer/run_pane';
import { StatusBar } from './viewer/StatusBar';
import { ViewerSurface } from './viewer/ViewerSurface';
import { Viewer } from './viewer/viewer';

interface Loaded {
  readonly comparison: Comparison;
  readonly layouts: readonly [Layout, Layout];
}

function CompareIsland({ page }: { page: ComparePage }) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState('');
  const show = (clock: ClockMode) =>
    load(page, clock).then(
      (next) => {
        if (loaded)
          history.replaceState(null, '', onClock(location.search, loaded.layouts[0], next.layouts[0]));
        setLoaded(next);
      },
      (error: Error) => setProblem(error.message),
    );
  const unready = [page.a, page.b].find((run) => run.state !== 'ready');
  useEffect(() => {
    if (!unready) void show(clockOf(location.search));
  }, []);
  if (unready) return <NotReady run={unready} />;
  if (problem) return <Notice title="The comparison could not be loaded">{problem}</Notice>;
  return loaded && <Compare key={loaded.layouts[0].clock} page={page} {...loaded} onClock={show} />;
}

async function load({ a, b }: ComparePage, clock: ClockMode): Promise<Loaded> {
  const [comparison, first, second] = await Promise.all([
    getJson<Comparison>(`compare/${a.id}/${b.id}/?clock=${clock}`),
    loadLayout(a, clock),
    loadLayout(b, clock),
  ]);
  return { comparison, layouts: [first, second] };
}

interface CompareProps extends Loaded {
  page: ComparePage;
  onClock: (clock: ClockMode) => void;
}

function Compare({ page, comparison, layouts, onClock: choose }: CompareProps) {
  const help = useSignal(false);
  const isPaired = comparison.pairing.by === 'origin';
  const viewer = useMemo(() => makeViewer(page, comparison, layouts, (isOpen) => (help.value = isOpen)), []);
  useEffect(
    () =>
      inTabs(
        <>
          <ErrorBadge comparison={comparison} />
          <TrustBadge run={isPrediction(page.a, page.b) ? page.b : page.a} />
        </>,
      ),
    [],
  );
  return (
    <>
      <ConnectionBanner status={connection().status} />
      {[page.a, page.b].map((run) => (
        <StaleBanner key={run.id} run={run} csrf={page.csrf} canEdit={page.can_edit} />
      ))}
      <div class="workspace">
        <ViewerSurface
          viewer={viewer}
          label={`${visible(page.a.name)}, ${page.a.kind}, above ${visible(page.b.name)}, ${page.b.kind}`}
        />
        <Side viewer={viewer} comparison={comparison} />
      </div>
      <StatusBar viewer={viewer}>
        <AxisChoice viewer={viewer} />
        <ClockChoice layout={furthestOff(layouts)} onChoose={choose} />
        <span class="wide">
          {isPaired ? `paired ${comparison.pairing.coverage_percent} % of events` : 'not paired'}
        </span>
      </StatusBar>
      {help.value && <HelpSheet entries={HELP} onClose={() => (help.value = false)} />}
    </>
  );
}

function makeViewer(
  { a, b }: ComparePage,
  comparison: Comparison,
  layouts: readonly [Layout, Layout],
  setHelp: (isOpen: boolean) => void,
): Viewer {
  const reference = referenceSteps(comparison.steps);
  const atStart = layouts[1].view[0] - layouts[0].view[0];
  const arrived = () => viewer.arrived();
  const { a_ns, b_ns } = comparison.total;
  const panes = [
    new RunPane(0, a, layouts[0], `A  ${a.kind}`, formatDuration(a_ns), arrived),
    new RunPane(1, b, layouts[1], `B  ${b.kind}`, formatDuration(b_ns), arrived),
  ];
  const viewer: Viewer = new Viewer(panes, {
    isPaired: comparison.pairing.by === 'origin',
    align: ({ beginNs, endNs }) => {
      const isAligned = modeOf(viewer) === 'aligned';
      panes[1].pane.offsetNs = isAligned ? offsetAt(reference, (beginNs + endNs) / 2, atStart) : 0;
    },
    onCommand: (id) => setHelp(id === 'help'),
  });
  return viewer;
}

function modeOf(viewer: Viewer): AxisMode {
  return viewer.axis.value === 'absolute' ? 'absolute' : 'aligned';
}

function AxisChoice({ viewer }: { viewer: Viewer }) {
  const mode = modeOf(viewer);
  const choice = (value: AxisMode, text: string) => (
    <button
      type="button"
      class="button quiet"
      aria-pressed={mode === value}
      onClick={() => viewer.setAxis(value === 'aligned' ? null : value)}
    >
      {text}
    </button>
  );
  return (
    <fieldset class="axis-choice" aria-label="Time axis">
      {choice('aligned', 'aligned at step start')}
      {choice('absolute', 'absolute')}
    </fieldset>
  );
}

function isPrediction(a: Run, b: Run): boolean {
  return a.kind === 'measured' && b.kind === 'predicted';
}

function ErrorBadge({ comparison: { a, b, total } }: { comparison: Comparison }) {
  const what = isPrediction(a, b) ? 'Prediction error of the whole run' : 'B against A';
  return (
    <span class="badge">
      {what} {formatPercent(total.error_percent)}
    </span>
  );
}

function Side({ viewer, comparison }: { viewer: Viewer; comparison: Comparison }) {
  const isOpen = useSignal(!matchMedia(NARROW).matches);
  const chosen = viewer.chosen.value;
  // The second run's details hold the first one's times too where they are paired.
  const index = chosen && (chosen.details[1]?.measured ? 1 : chosen.pane);
  const event = chosen && index !== null ? chosen.details[index] : null;
  if (event && index !== null) {
    return (
      <DetailsPanel
        event={event}
        where={placeOf(viewer.panes[index].layout, event)}
        alike={viewer.alike.value}
        onAlike={(which) => viewer.goAlike(which)}
        onGo={(row) => void viewer.go(index, event.trace, row)}
        onClose={() => viewer.surface?.select(null)}
      />
    );
  }
  if (!isOpen.value) return <PanelOpener label="Figures" onOpen={() => (isOpen.value = true)} />;
  return <Figures viewer={viewer} comparison={comparison} onClose={() => (isOpen.value = false)} />;
}

function Figures(props: { viewer: Viewer; comparison: Comparison; onClose: () => void }) {
  const { a, b } = props.comparison;
  return (
    <Panel label="figures" onClose={props.onClose}>
      <WholeRun comparison={props.comparison} />
      <Steps viewer={props.viewer} comparison={props.comparison} />
      {isPrediction(a, b) && b.replay && <Path run={b} replay={b.replay} />}
    </Panel>
  );
}

/** How the two runs are called, in headings. */
function namesOf({ a, b }: Comparison): [string, string] {
  return a.kind === b.kind ? ['A', 'B'] : [a.kind, b.kind];
}

function WholeRun({ comparison }: { comparison: Comparison }) {
  const { a, b, total } = comparison;
  const [first, second] = namesOf(comparison);
  const modelled = isPrediction(a, b) ? b.replay?.error_percent_without_residuals : undefined;
  return (
    <section>
      <h3>Whole run, {second}</h3>
      <p class="large-figure">{formatDuration(total.b_ns)}</p>
      <p class="muted">
        {first} {formatDuration(total.a_ns)}, {isPrediction(a, b) ? 'error' : 'difference'}{' '}
        {formatPercent(total.error_percent)}
      </p>
      {modelled !== undefined && (
        <p
          class="muted"
          title="Residuals are what no dependency explains; with them a replay repeats the run"
        >
          without residuals, by dependencies alone: {formatPercent(modelled)}
        </p>
      )}
    </section>
  );
}

function Steps({ viewer, comparison }: { viewer: Viewer; comparison: Comparison }) {
  const { a, b, steps, total } = comparison;
  const rows = steps.map(({ rank, name, a: [a0, a1], b: [b0, b1], error_percent }) => ({
    rank,
    name,
    measured_ns: a1 - a0,
    predicted_ns: b1 - b0,
    error_percent,
  }));
  return (
    <section>
      <h3>Each step</h3>
      <StepTable
        steps={rows}
        total={{ measured_ns: total.a_ns, predicted_ns: total.b_ns, error_percent: total.error_percent }}
        headings={namesOf(comparison)}
        percent={isPrediction(a, b) ? 'error' : 'difference'}
        onGo={(index) => viewer.show(...steps[index].a)}
      />
    </section>
  );
}

function Path({ run, replay }: { run: Run; replay: ReplayReport }) {
  return (
    <section>
      <h3>What decides how long it takes</h3>
      {replay.critical_path && <PathTable path={replay.critical_path.measured} />}
      <p class="muted">
        No dependency explains {formatShare(replay.unexplained_percent)} of the critical path;{' '}
        {formatShare(replay.gap_percent)} is gaps of the host, kept as measured.
      </p>
      <p>
        <a href={`${run.url}path/`}>The critical path, event by event</a>
      </p>
    </section>
  );
}

mount(<CompareIsland page={readPage<ComparePage>()} />);
