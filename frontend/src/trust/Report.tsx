// The verdict, and the tables that it rests on.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { formatCount, formatDelta, formatDuration, formatPercent } from '../ui/format';
import { MoreSteps, stepLabel } from '../ui/StepTable';
import { furthestOff } from '../ui/steps';
import { visible } from '../ui/text';
import { TRUST_MARKS, TRUST_WORDS } from '../ui/trust_levels';
import { Bar, Shares } from './Bars';
import {
  byCertainty,
  CERTAINTIES,
  type Check,
  eventUrl,
  type Figures,
  type Origin,
  type WorstEvent,
  words,
} from './figures';

const NAME_CHARS = 70;
export function Report({ figures, runUrl }: { figures: Figures; runUrl: string }) {
  const { level, title, sentences } = figures.verdict;
  return (
    <div class="trust">
      <header class="trust-verdict">
        <h1>{title}</h1>
        <span class={`badge ${TRUST_MARKS[level]}`}>{TRUST_WORDS[level]}</span>
        {sentences.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </header>
      {level !== 'none' && (
        <>
          <Limits checks={figures.checks} />
          <Others figures={figures} />
          <Left figures={figures} />
          <Path path={figures.path} />
          <Edges edges={figures.edges} />
          <Origins origins={figures.origins} runUrl={runUrl} />
          <Worst worst={figures.worst} runUrl={runUrl} />
        </>
      )}
    </div>
  );
}

function Section({ title, why, children }: { title: string; why: string; children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      <p class="muted">{why}</p>
      <div class="trust-table">{children}</div>
    </section>
  );
}

/** A heading, and what it means where that is not plain. */
type Head = string | readonly [string, string];

/** `words` are the places of columns that hold words, which align to the left. */
function Heads({ heads, words: texts = [] }: { heads: readonly Head[]; words?: readonly number[] }) {
  return (
    <thead>
      <tr>
        {heads.map((head, i) => {
          const [name, title] = typeof head === 'string' ? [head, undefined] : head;
          return (
            <th scope="col" key={i} title={title} class={texts.includes(i) ? 'words' : undefined}>
              {name}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function Caption({ text }: { text: string }) {
  return <caption class="sr-only">{text}</caption>;
}

function unsigned(percent: number): string {
  return formatPercent(Math.abs(percent)).replace('+', '');
}

function Limits({ checks }: { checks: readonly Check[] }) {
  return (
    <Section title="Limits" why="What the model may be off at most, and what it is off.">
      <table class="figures">
        <Caption text="Limits of the model" />
        <Heads heads={['figure', 'value', 'at most', 'limit']} />
        <tbody>
          {checks.map((check) => (
            <tr key={check.name}>
              <th scope="row">{check.what}</th>
              <td>{unsigned(check.value_percent)}</td>
              <td>{unsigned(check.limit_percent)}</td>
              <td class={check.is_kept ? 'good' : 'slower'}>{check.is_kept ? 'kept' : 'missed'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Others({ figures: { others } }: { figures: Figures }) {
  const [isWhole, setWhole] = useState(false);
  if (!others.steps.length) return null;
  const manyRanks = new Set(others.steps.map((step) => step.rank)).size > 1;
  const furthest = furthestOff(others.steps.map((step) => step.error_percent));
  const shown = isWhole ? others.steps : furthest.map((at) => others.steps[at]);
  const left = others.ramp_up.map((step) => stepLabel(step, manyRanks)).join('; ');
  return (
    <Section
      title="Each step from the others"
      why="The step's own sequence of events, with the durations and host gaps of the other steps; beside it the median duration of the other steps."
    >
      <table class="figures">
        <Caption text="Each step predicted from the others" />
        <Heads
          heads={['step', 'measured', 'predicted', 'error', 'median of the others', 'error of the median']}
        />
        <tbody>
          {shown.map((step) => (
            <tr key={`${step.rank} ${step.name}`}>
              <th scope="row">
                <bdi>{stepLabel(step, manyRanks)}</bdi>
              </th>
              <td>{formatDuration(step.measured_ns)}</td>
              <td>{formatDuration(step.predicted_ns)}</td>
              <td>{formatPercent(step.error_percent)}</td>
              <td>{formatDuration(step.naive_ns)}</td>
              <td>{formatPercent(step.naive_error_percent)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <MoreSteps total={others.steps.length} isWhole={isWhole} onTurn={() => setWhole(!isWhole)} />
      {left && <p class="muted">Left out, because the run was still getting up to speed: {left}.</p>}
      {others.kept_percent >= 0.005 && (
        <p class="muted">
          {unsigned(others.kept_percent)} of the times have no match in the other steps, and are those of the
          step itself.
        </p>
      )}
    </Section>
  );
}

function Left({ figures: { ablation } }: { figures: Figures }) {
  const error = (line: (typeof ablation)[number]) =>
    Math.max(Math.abs(line.error_percent), line.steps_mean_error_percent ?? 0);
  const most = Math.max(...ablation.map(error), 1);
  return (
    <Section
      title="What each family of dependencies is worth"
      why="The error of a replay without residuals, with all dependencies and with one family left out. Families that change nothing are not tested by this run."
    >
      <table class="figures">
        <Caption text="Errors with one family of dependencies left out" />
        <Heads
          heads={[
            'left out',
            ['edges', 'dependencies of this family'],
            ['run', 'error of the whole run'],
            ['steps, mean', 'mean error of the steps, without sign'],
            ['device starts, p95', 'how far 95 % of all device events start from where they did, at most'],
            ['error', 'the larger one of the run and its steps'],
          ]}
        />
        <tbody>
          {ablation.map((line) => (
            <tr key={line.family}>
              <th scope="row">{line.family ? words(line.family) : 'nothing'}</th>
              <td>{formatCount(line.edges)}</td>
              <td>{formatPercent(line.error_percent)}</td>
              <td>
                {line.steps_mean_error_percent === null ? '–' : unsigned(line.steps_mean_error_percent)}
              </td>
              <td>{formatDuration(line.device_start_error_ns.p95)}</td>
              <td>
                <Bar share={error(line) / most} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Path({ path }: { path: Figures['path'] }) {
  const rest = Math.max(0, (path.families.thread_order ?? 0) - path.gap_percent);
  const parts = [
    { name: 'host work', percent: rest },
    { name: 'host gaps, kept as measured', percent: path.gap_percent },
    ...Object.entries(path.families)
      .filter(([family]) => family !== 'thread_order' && family !== 'virtual_start')
      .map(([family, percent]) => ({ name: words(family), percent })),
    { name: 'not explained', percent: path.unexplained_percent },
  ];
  return (
    <Section
      title="The critical path"
      why="What the chain that decides the run's end is made of. Host work and gaps are kept as measured; the rest is predicted."
    >
      <Shares
        what="What the critical path is made of"
        parts={parts.filter(({ percent }) => percent >= 0.005)}
      />
    </Section>
  );
}

function Edges({ edges }: { edges: Figures['edges'] }) {
  return (
    <Section
      title="Dependencies, and how sure they are"
      why="Structural: true of any execution. Recorded: the trace says so. Inferred and guessed: by rules that can err."
    >
      <table class="figures">
        <Caption text="Dependencies by family and certainty" />
        <Heads heads={['family', ...CERTAINTIES]} />
        <tbody>
          {byCertainty(edges).map(({ family, counts }) => (
            <tr key={family}>
              <th scope="row">{words(family)}</th>
              {counts.map((count, i) => (
                <td key={CERTAINTIES[i]}>{count ? formatCount(count) : '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Event({ event, runUrl }: { event: WorstEvent; runUrl: string }) {
  return (
    <a href={eventUrl(runUrl, event)}>
      <bdi>{visible(event.name, NAME_CHARS)}</bdi>
    </a>
  );
}

function placeOf(event: WorstEvent): string {
  return event.rank === null ? event.track : `rank ${event.rank}, ${event.track}`;
}

function Origins({ origins, runUrl }: { origins: readonly Origin[]; runUrl: string }) {
  if (!origins.length) return null;
  return (
    <Section
      title="Where unexplained delays arise"
      why="Events that start earlier or later than their dependencies say."
    >
      <table class="figures wide-first">
        <Caption text="Where unexplained delays arise" />
        <Heads
          words={[1]}
          heads={[
            'name',
            'where',
            ['events', 'with a part that no dependency explains'],
            ['together', 'those parts added up, without sign'],
            ['the worst', 'the largest: + starts later than its dependencies say, − earlier'],
          ]}
        />
        <tbody>
          {origins.map((origin) => (
            <tr key={`${origin.worst.trace} ${origin.name}`}>
              <th scope="row">
                <Event event={origin.worst} runUrl={runUrl} />
              </th>
              <td class="words">{placeOf(origin.worst)}</td>
              <td>{formatCount(origin.events)}</td>
              <td>{formatDuration(origin.residual_ns)}</td>
              <td>{formatDelta(-origin.worst.own_ns)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Worst({ worst, runUrl }: { worst: readonly WorstEvent[]; runUrl: string }) {
  if (!worst.length) return null;
  return (
    <Section
      title="The worst events"
      why="How much too early or late each would start without residuals; most of it is handed on by what holds it. One event of each name."
    >
      <table class="figures wide-first">
        <Caption text="The events with the largest start errors" />
        <Heads
          words={[1, 4]}
          heads={[
            'name',
            'where',
            ['start error', 'predicted start less measured start, without residuals'],
            ['its own part', 'of that, what arises at this event'],
            ['held by', 'the dependency that decides when it starts'],
          ]}
        />
        <tbody>
          {worst.map((event) => (
            <tr key={`${event.trace} ${event.row}`}>
              <th scope="row">
                <Event event={event} runUrl={runUrl} />
              </th>
              <td class="words">{placeOf(event)}</td>
              <td>{formatDelta(event.start_error_ns)}</td>
              <td>{formatDelta(event.own_ns)}</td>
              <td class="words">
                {event.bound.family ? words(event.bound.family) : 'nothing'}
                {event.bound.by && (
                  <>
                    : <bdi>{visible(event.bound.by, 24)}</bdi>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
