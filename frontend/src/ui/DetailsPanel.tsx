// The selected slice: what it is, when, why then, and its args exactly as in the file.

import type { ComponentChildren } from 'preact';
import type { Alike as AlikeFigures, EventDetail, EventLink } from '../transport/api';
import { CopyButton } from './CopyButton';
import {
  formatCount,
  formatDelta,
  formatDuration,
  formatExact,
  formatPercent,
  type Nanoseconds,
} from './format';
import { indentJson } from './json';
import { Panel } from './Panel';
import { DISPLAY_LIMIT, visible } from './text';

const ARG_LIMIT = 4000;
const MODULE_LIMIT = 600;
const LONG_NAME = 60; // a kernel with its template arguments: smaller, or it pushes the figures away

export interface DetailsProps {
  event: EventDetail;
  /** Where it ran, for a person: `rank 1, GPU 1, stream 84`. */
  where: string;
  /** The events of its name in the run, once they are known, and the way to them. */
  alike?: AlikeFigures | null;
  onAlike?: (which: 'previous' | 'next' | 'longest') => void;
  /** Go to another row of the same trace. */
  onGo: (row: number) => void;
  onClose: () => void;
}

export function DetailsPanel({ event, where, alike, onAlike, onGo, onClose }: DetailsProps) {
  return (
    <Panel label="details" onClose={onClose}>
      <section>
        <h3>Selected slice</h3>
        <div>
          <h2 class={event.name.length > LONG_NAME ? 'long' : ''}>
            <bdi>{visible(event.name)}</bdi> <CopyButton text={event.name} what="the name" />
          </h2>
          <p class="where">{[where, event.step, categoryOf(event)].filter(Boolean).map(shown).join(', ')}</p>
          <Module path={event.module} />
        </div>
      </section>
      <Times event={event} />
      {event.measured && <MeasuredAndPredicted event={event} measured={event.measured} />}
      {alike && onAlike && <Alike alike={alike} onAlike={onAlike} />}
      <Launches event={event} onGo={onGo} />
      <Parents event={event} onGo={onGo} />
      <Args title="Args, as in the file" what="all args" args={event.args} />
      <Args title="Args of its end, as in the file" what="all args of the end" args={event.end_args} />
    </Panel>
  );
}

/** `kernel`, and in brackets how the file calls it where that is another word. */
export function categoryOf({ category, spellings }: Pick<EventDetail, 'category' | 'spellings'>): string {
  const others = spellings.filter((spelling) => spelling !== category);
  return others.length > 0 ? `${category} (in the file: ${others.join(', ')})` : category;
}

/** The nn.Modules it ran in, outermost first. */
function Module({ path }: { path: readonly string[] }) {
  if (path.length === 0) return null;
  const text = path.join('.');
  return (
    <p class="where module">
      in module <bdi>{visible(text, MODULE_LIMIT)}</bdi> <CopyButton text={text} what="the module path" />
    </p>
  );
}

const shown = (text: string | null) => visible(text ?? '');

function Times({ event }: { event: EventDetail }) {
  const launchedAfter = event.launch && event.start_ns - event.launch.start_ns;
  return (
    <table class="figures">
      <tbody>
        <Time label="Duration" ns={event.dur_ns} />
        {event.self_ns !== event.dur_ns && <Time label="Self" ns={event.self_ns} />}
        <Time label="Start" ns={event.start_ns} />
        {launchedAfter !== null && <Time label="Launch to start" ns={launchedAfter} />}
        {event.correlation !== '' && <Line label="Correlation">{event.correlation}</Line>}
        <Line label="Place in the file">event {formatCount(event.source_index)}</Line>
      </tbody>
    </table>
  );
}

function Time({ label, ns }: { label: string; ns: Nanoseconds }) {
  return (
    <Line label={label}>
      {formatDuration(ns, 4)}
      <span class="exact">
        <CopyButton text={String(ns)} what={`${label.toLowerCase()} in nanoseconds`} /> {formatExact(ns)}
      </span>
    </Line>
  );
}

function Line({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <tr>
      <th scope="row">{label}</th>
      <td>{children}</td>
    </tr>
  );
}

type Measured = NonNullable<EventDetail['measured']>;

function MeasuredAndPredicted({ event, measured }: { event: EventDetail; measured: Measured }) {
  const duration = event.dur_ns - measured.dur_ns;
  const share = measured.dur_ns > 0 ? `, ${formatPercent((100 * duration) / measured.dur_ns)}` : '';
  return (
    <section>
      <h3>Predicted against measured</h3>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">measured</th>
            <th scope="col">predicted</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Duration</th>
            <td>{formatDuration(measured.dur_ns)}</td>
            <td>{formatDuration(event.dur_ns)}</td>
          </tr>
          <tr>
            <th scope="row">Start</th>
            <td>{formatDuration(measured.start_ns)}</td>
            <td>{formatDuration(event.start_ns)}</td>
          </tr>
        </tbody>
      </table>
      <p class="muted">
        Duration {formatDelta(duration)}
        {share}; start {formatDelta(event.start_ns - measured.start_ns)}
      </p>
      {event.slack_ns !== null && <p class="muted">{slackText(event.slack_ns)}</p>}
    </section>
  );
}

interface AlikeProps {
  alike: AlikeFigures;
  onAlike: (which: 'previous' | 'next' | 'longest') => void;
}

/** How long others of its name take, and steps from one to the next; they are underlined in the timeline. */
function Alike({ alike, onAlike }: AlikeProps) {
  const step = (which: 'previous' | 'next', text: string, key: string) => (
    <button
      type="button"
      class="button compact"
      disabled={!alike[which]}
      title={`${key} on the timeline`}
      onClick={() => onAlike(which)}
    >
      {text}
    </button>
  );
  return (
    <section>
      <h3>The same name in this run</h3>
      <table class="figures">
        <caption class="sr-only">Durations of all events of this name and category</caption>
        <thead>
          <tr>
            <th scope="col">count</th>
            <th scope="col">total</th>
            <th scope="col">median</th>
            <th scope="col" title="95 % are no longer">
              p95
            </th>
            <th scope="col">max</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <td>{formatCount(alike.count)}</td>
            <td>{formatDuration(alike.total_ns)}</td>
            <td>{formatDuration(alike.median_ns)}</td>
            <td>{formatDuration(alike.p95_ns)}</td>
            <td>
              <button type="button" class="link inline" title="Show it" onClick={() => onAlike('longest')}>
                {formatDuration(alike.max_ns)}
              </button>
            </td>
          </tr>
        </tbody>
      </table>
      {alike.count > 1 && (
        <div class="button-row">
          {step('previous', '‹ Previous', 'P')}
          {step('next', 'Next ›', 'N')}
          <span class="muted" role="status">
            {formatCount(alike.number)} of {formatCount(alike.count)}
          </span>
        </div>
      )}
    </section>
  );
}

function slackText(slack: Nanoseconds): string {
  if (slack === 0) return 'On the critical path: any longer, and the run ends later.';
  return `May last ${formatDuration(slack)} longer before the run ends later.`;
}

function Launches({ event, onGo }: { event: EventDetail; onGo: (row: number) => void }) {
  return (
    <>
      {event.launch && <Links title="Launched by" links={[event.launch]} from={event.start_ns} onGo={onGo} />}
      {event.launched.length > 0 && (
        <Links title="Launches" links={event.launched} from={event.start_ns} onGo={onGo} />
      )}
    </>
  );
}

interface LinksProps {
  title: string;
  links: EventLink[];
  from: Nanoseconds;
  onGo: (row: number) => void;
}

function Links({ title, links, from, onGo }: LinksProps) {
  return (
    <section>
      <h3>{title}</h3>
      <ul class="list">
        {links.map((link) => (
          <li key={link.row}>
            <button type="button" class="link" onClick={() => onGo(link.row)}>
              <bdi>{visible(link.name)}</bdi>
              <span class="muted">{formatDelta(link.start_ns - from)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Parents({ event, onGo }: { event: EventDetail; onGo: (row: number) => void }) {
  if (event.parents.length === 0) return null;
  return (
    <section>
      <h3>Within</h3>
      <ul class="list">
        {event.parents.map((parent) => (
          <li key={parent.row}>
            <button type="button" class="link" onClick={() => onGo(parent.row)}>
              <bdi>{visible(parent.name)}</bdi>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** All args as one JSON object, every value as the file has it. */
export function argsJson(args: [string, string][]): string {
  return `{${args.map(([key, raw]) => `${JSON.stringify(key)}: ${raw}`).join(', ')}}`;
}

interface ArgsProps {
  title: string;
  /** What a copy takes, for a screen reader. */
  what: string;
  args: [string, string][];
}

function Args({ title, what, args }: ArgsProps) {
  if (args.length === 0) return null;
  return (
    <section>
      <div class="section-head">
        <h3>{title}</h3>
        <CopyButton text={argsJson(args)} what={what} />
      </div>
      <dl class="args">
        {args.map(([key, raw], i) => (
          // A file may repeat a key: the position tells them apart.
          <div class="arg" key={`${i} ${key}`}>
            <dt>
              <bdi>{visible(key)}</bdi>
              <CopyButton text={raw} what={visible(key, 40)} />
            </dt>
            <dd>
              <ArgValue raw={raw} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function ArgValue({ raw }: { raw: string }) {
  const lines = indentJson(raw.slice(0, ARG_LIMIT)).split('\n');
  const rest = raw.length - ARG_LIMIT;
  return (
    <>
      <pre dir="ltr">{lines.map((line) => visible(line, Math.max(DISPLAY_LIMIT, ARG_LIMIT))).join('\n')}</pre>
      {rest > 0 && <p class="muted">and {rest} characters more; Copy takes all</p>}
    </>
  );
}
