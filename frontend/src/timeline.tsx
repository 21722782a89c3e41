import './ui/style.css';
import { type Signal, signal, useSignal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { mount, readPage, type TimelinePage } from './page';
import { TrustBadge } from './run/Badges';
import { askWith, canReadAgain, type Desk, readAgain } from './run/desk';
import type { Part } from './run/exporting';
import { RunBanner } from './run/RunBanner';
import { RunMenu } from './run/RunMenu';
import { StaleBanner } from './run/Stale';
import type { ClockMode, Layout, Run, StepLayout } from './transport/api';
import { connection } from './transport/connection';
import { isBusy, isOver, watchJob } from './transport/jobs';
import { ConnectionBanner } from './ui/ConnectionBanner';
import { DetailsPanel } from './ui/DetailsPanel';
import { formatCount, formatDuration, formatPlural } from './ui/format';
import { HelpSheet } from './ui/HelpSheet';
import { JobBar } from './ui/JobBar';
import { NARROW, Panel, PanelOpener } from './ui/Panel';
import { QualityBadge, QualityPanel } from './ui/QualityPanel';
import { ReplayButton } from './ui/ReplayButton';
import { visible } from './ui/text';
import { ClockChoice, clockOf, furthest, onClock } from './viewer/ClockChoice';
import { HELP, inTabs, into, Notice, NotReady, placeOf } from './viewer/page_parts';
import { partsOf } from './viewer/parts';
import { type Editing, RunTitle } from './viewer/RunTitle';
import { loadLayout, RunPane } from './viewer/run_pane';
import { StatusBar } from './viewer/StatusBar';
import { ViewerSurface } from './viewer/ViewerSurface';
import { Viewer } from './viewer/viewer';

type Shown = 'summary' | 'quality' | 'nothing';

/** What the page knows of its run, which may be renamed or tagged while it is open. */
interface State {
  readonly page: TimelinePage;
  readonly run: Signal<Run>;
  readonly problem: Signal<string>;
  readonly editing: Signal<Editing>;
  readonly desk: Desk;
}

function stateOf(page: TimelinePage): State {
  const run = signal(page.run);
  const problem = signal('');
  const changed = (next: Run) => {
    if (next.project !== page.project.slug) location.assign(next.url);
    else if (next.state !== page.run.state) location.reload();
    else run.value = next;
  };
  const desk: Desk = {
    csrf: page.csrf,
    ask: (what) => askWith(problem, what),
    changed,
    removed: () => location.assign(`/p/${page.project.slug}/`),
  };
  return { page, run, problem, editing: signal<Editing>(null), desk };
}

/** While the run is read again: how far that is. What came of it is another version, and the page opens it anew. */
function follow({ run }: State): () => void {
  const { job, state } = run.value;
  if (!job || state !== 'ready' || !isBusy(run.value)) return () => {};
  return watchJob(job.id, job.number, (event) => {
    if (isOver(event.state)) location.reload();
    else run.value = { ...run.value, job: { ...event, id: job.id } };
  });
}

function TimelineIsland({ page }: { page: TimelinePage }) {
  const [layout, setLayout] = useState<Layout | null>(null);
  const state = useMemo(() => stateOf(page), []);
  const load = (clock: ClockMode) =>
    state.desk.ask(async () => {
      const next = await loadLayout(page.run, clock);
      if (layout) history.replaceState(null, '', onClock(location.search, layout, next));
      setLayout(next);
    });
  useEffect(() => into('run-title', <RunTitle {...state} />), []);
  useEffect(() => follow(state), [state.run.value.job?.id]);
  useEffect(() => {
    if (page.run.state === 'ready') void load(clockOf(location.search));
    else return inTabs(<Actions state={state} />);
  }, []);
  const problem = state.problem.value;
  if (page.run.state !== 'ready') {
    return (
      <NotReady run={page.run}>
        {page.can_edit && canReadAgain(page.run) && <TryAgain run={page.run} desk={state.desk} />}
        {problem && <p class="error">{problem}</p>}
      </NotReady>
    );
  }
  if (!layout) return problem && <Notice title="The timeline could not be loaded">{problem}</Notice>;
  if (!layout.tracks.length) return <Notice title="This run has no events on a timeline" />;
  return <Timeline key={layout.clock} state={state} layout={layout} onClock={load} />;
}

function TryAgain({ run, desk }: { run: Run; desk: Desk }) {
  return (
    <>
      <p class="muted">
        Its files are kept. <i>Files and ranks…</i> in the menu above exchanges one for a better one.
      </p>
      <button type="button" class="button" onClick={() => void readAgain(desk, run)}>
        Read again
      </button>
    </>
  );
}

/** What the panel shows while nothing is chosen: what the address asks for; closed where it would cover the canvas. */
function shownFirst(): Shown {
  if (new URLSearchParams(location.search).get('panel') === 'quality') return 'quality';
  return matchMedia(NARROW).matches ? 'nothing' : 'summary';
}

interface TimelineProps {
  state: State;
  layout: Layout;
  onClock: (mode: ClockMode) => void;
}

function Timeline({ state, layout, onClock: choose }: TimelineProps) {
  const { page, problem } = state;
  const run = state.run.value;
  const help = useSignal(false);
  const shown = useSignal<Shown>(shownFirst());
  const viewer = useMemo(() => {
    const pane = new RunPane(0, page.run, layout, '', '', () => made.arrived());
    const made: Viewer = new Viewer([pane], {
      isPaired: false,
      onCommand: (id) => {
        help.value = id === 'help';
      },
    });
    return made;
  }, []);
  const openQuality = () => {
    viewer.surface?.select(null);
    shown.value = 'quality';
  };
  useEffect(() => inTabs(<Tabs state={state} viewer={viewer} onQuality={openQuality} />), []);
  return (
    <>
      <ConnectionBanner status={connection().status} />
      <Problem text={problem.value} />
      {run.error && <Problem text={`Reading it again failed, and it stays as it was. ${run.error}`} />}
      <StaleBanner run={run} csrf={page.csrf} canEdit={page.can_edit} />
      <RunBanner quality={run.quality} placed={layout.placed} onOpen={openQuality} />
      <div class="workspace">
        <ViewerSurface viewer={viewer} label={`Timeline of ${visible(run.name)}`} />
        <Side viewer={viewer} shown={shown} />
      </div>
      <StatusBar viewer={viewer}>
        {furthest(layout) && <ClockChoice layout={layout} onChoose={choose} />}
      </StatusBar>
      {help.value && <HelpSheet entries={HELP} onClose={() => (help.value = false)} />}
    </>
  );
}

function Problem({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p class="run-banner error" role="alert">
      <span class="cut">{visible(text, 2000)}</span>
    </p>
  );
}

function Tabs({ state, viewer, onQuality }: { state: State; viewer: Viewer; onQuality: () => void }) {
  const { page } = state;
  const run = state.run.value;
  return (
    <>
      <QualityBadge quality={run.quality} onOpen={onQuality} />
      {run.state === 'ready' && <TrustBadge run={run} />}
      {isBusy(run) && run.job && <JobBar job={run.job} />}
      {page.can_edit && run.kind === 'measured' && <ReplayButton run={run} csrf={page.csrf} />}
      {run.measured_run && (
        <a class="button" href={`/p/${page.project.slug}/compare/${run.measured_run}/${run.id}/`}>
          Compare with measured
        </a>
      )}
      <Actions state={state} parts={() => partsOf(viewer)} shownClock={viewer.panes[0].layout.clock} />
    </>
  );
}

interface ActionsProps {
  state: State;
  parts?: () => Part[];
  shownClock?: ClockMode;
}

function Actions({ state, parts, shownClock }: ActionsProps) {
  const { run, editing, desk, page } = state;
  return (
    <RunMenu
      run={run.value}
      desk={desk}
      canEdit={page.can_edit}
      parts={parts}
      shownClock={shownClock}
      onRename={() => (editing.value = 'name')}
      onTag={() => (editing.value = 'tags')}
    />
  );
}

function Side({ viewer, shown }: { viewer: Viewer; shown: { value: Shown } }) {
  const [{ run, layout }] = viewer.panes;
  const event = viewer.chosen.value?.details[0];
  const close = () => {
    shown.value = 'nothing';
  };
  if (event) {
    return (
      <DetailsPanel
        event={event}
        where={placeOf(layout, event)}
        alike={viewer.alike.value}
        onAlike={(which) => viewer.goAlike(which)}
        onGo={(row) => void viewer.go(0, event.trace, row)}
        onClose={() => viewer.surface?.select(null)}
      />
    );
  }
  if (shown.value === 'quality')
    return <QualityPanel quality={run.quality} placing={layout.placing} onClose={close} />;
  if (shown.value === 'summary') return <Summary viewer={viewer} onClose={close} />;
  return <PanelOpener label="Summary" onOpen={() => (shown.value = 'summary')} />;
}

/** While nothing is chosen: the run in a sentence, and its steps as ways into it. */
function Summary({ viewer, onClose }: { viewer: Viewer; onClose: () => void }) {
  const [{ run, layout }] = viewer.panes;
  const events = layout.tracks.reduce((sum, track) => sum + track.events, 0);
  return (
    <Panel label="summary" onClose={onClose}>
      <section>
        <h3>{run.median_step_ns === null ? wholeRun(layout.clock) : 'Median step'}</h3>
        <p class="large-figure">{formatDuration(run.median_step_ns ?? run.span_ns)}</p>
        <p class="muted">
          {formatPlural(run.ranks, 'rank')}, {formatPlural(events, 'event')},{' '}
          {formatPlural(run.gpu_events, 'GPU event')}
        </p>
      </section>
      {layout.steps.length > 0 && <Steps viewer={viewer} />}
    </Panel>
  );
}

/** Its length is from the first event to the last by the ranks' own clocks, whatever the page shows. */
function wholeRun(clock: ClockMode): string {
  return clock === 'aligned' ? 'Whole run, clocks as recorded' : 'Whole run';
}

const FEW_LINES = 16;

function Steps({ viewer }: { viewer: Viewer }) {
  const [{ layout }] = viewer.panes;
  const [isWhole, setWhole] = useState(false);
  const { steps } = layout;
  return (
    <section>
      <h3>Steps</h3>
      <table class="figures">
        <caption class="sr-only">Steps and how long each took</caption>
        <tbody>
          {(isWhole ? steps : steps.slice(0, FEW_LINES)).map((step) => (
            <StepLine key={`${step.trace} ${step.begin_ns}`} viewer={viewer} step={step} />
          ))}
        </tbody>
      </table>
      {steps.length > FEW_LINES && !isWhole && (
        <p class="more">
          <button type="button" class="button compact" onClick={() => setWhole(true)}>
            Show all {formatCount(steps.length)}
          </button>
        </p>
      )}
    </section>
  );
}

function StepLine({ viewer, step }: { viewer: Viewer; step: StepLayout }) {
  const [{ layout }] = viewer.panes;
  const rank = layout.traces.length > 1 ? `, ${layout.traces[step.trace].label}` : '';
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={() => viewer.show(step.begin_ns, step.end_ns)}>
          <bdi>{step.name}</bdi>
          {rank}
        </button>
      </th>
      <td>{formatDuration(step.end_ns - step.begin_ns)}</td>
    </tr>
  );
}

mount(<TimelineIsland page={readPage<TimelinePage>()} />);
