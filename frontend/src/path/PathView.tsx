// What decides how long a run takes: the answer in a sentence, the shares of its causes, then the events themselves.

import { useEffect, useState } from 'preact/hooks';
import { getJson, type PathFigures, type Run } from '../transport/api';
import { formatCount, formatDuration, formatPlural, formatShare } from '../ui/format';
import { Meanings } from '../ui/Meanings';
import { FIRST, More } from '../ui/More';
import { visible } from '../ui/text';
import { CAUSES, type Mode, modeOf, type Segment, type Segments, segmentUrl, words } from './figures';

const NAME_LIMIT = 300;
const FEW_NAMES = 12;

export function PathView({ run }: { run: Run }) {
  const [mode, setMode] = useState(() => modeOf(location.search));
  useEffect(() => history.replaceState(null, '', `?mode=${mode}`), [mode]);
  const path = run.replay?.critical_path?.[mode];
  const [longest, problem, more] = useLongest(run, mode);
  if (!path) {
    return (
      <p class="run-banner error" role="alert">
        This prediction was stored without its critical path: replay the measured run again.
      </p>
    );
  }
  return (
    <>
      <div class="page-head">
        <h1>What decides how long it takes</h1>
        <Modes mode={mode} onChoose={setMode} />
      </div>
      <Answer path={path} mode={mode} url={run.url} />
      <CauseTable path={path} />
      <Ranks path={path} />
      <Names path={path} longest={longest?.segments ?? []} run={run} />
      {problem && (
        <p class="run-banner error" role="alert">
          {visible(problem, 2000)}
        </p>
      )}
      {longest && <Longest run={run} found={longest} onMore={more} />}
    </>
  );
}

/** The longest segments, as many as have been asked for; why there are none; and the way to more. */
function useLongest(run: Run, mode: Mode): [Segments | null, string, () => void] {
  const [found, setFound] = useState<Segments | null>(null);
  const [problem, setProblem] = useState('');
  const take = (offset: number, before: readonly Segment[]) =>
    getJson<Segments>(`runs/${run.id}/critical-path/?mode=${mode}&order=length&offset=${offset}`).then(
      (next) => setFound({ ...next, segments: [...before, ...next.segments] }),
      (error: Error) => setProblem(error.message),
    );
  useEffect(() => void take(0, []), [mode]);
  return [found, problem, () => void (found?.next && take(found.next, found.segments))];
}

function Modes({ mode, onChoose }: { mode: Mode; onChoose: (mode: Mode) => void }) {
  const button = (value: Mode, text: string, title: string) => (
    <button
      type="button"
      class="button quiet"
      title={title}
      aria-pressed={mode === value}
      onClick={() => onChoose(value)}
    >
      {text}
    </button>
  );
  return (
    <fieldset class="axis-choice" aria-label="Times">
      {button('measured', 'measured times', 'What the run as it was waited for')}
      {button('replayed', 'modelled times', 'On the times that dependencies alone give, without residuals')}
    </fieldset>
  );
}

function Answer({ path, mode, url }: { path: PathFigures; mode: Mode; url: string }) {
  const [first, second] = path.causes;
  const said = (cause: typeof first) => `${formatShare(cause.percent)} ${words(cause.cause)}`;
  return (
    <>
      <p class="large-figure">{formatDuration(path.length_ns)}</p>
      <p>
        {first && said(first)}
        {second && `, ${said(second)}`}.
      </p>
      <p class="muted">
        The chain of events that ends when the run ends, each held up by the one before
        {mode === 'measured' ? '' : ', on the times that the model gives without residuals'}. Shortening
        anything else changes nothing; <a href={`${url}sensitivity/`}>Sensitivity</a> says what shortening
        each of these would gain.
      </p>
    </>
  );
}

function CauseTable({ path }: { path: PathFigures }) {
  return (
    <section class="analysis-part">
      <h2>By cause</h2>
      <table class="figures path-causes">
        <caption class="sr-only">The critical path by cause: time, and share of its length</caption>
        <tbody>
          {path.causes.map(({ cause, ns, percent }) => (
            <tr key={cause}>
              <th scope="row" title={CAUSES[cause]}>
                {visible(words(cause), 40)}
              </th>
              <td>{formatDuration(ns)}</td>
              <td>{formatShare(percent)}</td>
              <td>
                <progress aria-hidden="true" max={100} value={Math.max(0, percent)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Meanings
        what="What the causes mean"
        columns={path.causes.map(({ cause }) => ({ label: words(cause), title: CAUSES[cause] }))}
      />
    </section>
  );
}

/** Where the path runs, of several ranks. */
function Ranks({ path }: { path: PathFigures }) {
  const ranks = (path.ranks ?? []).filter(({ ns }) => ns > 0);
  if (ranks.length < 2) return null;
  const sorted = ranks.toSorted((a, b) => b.ns - a.ns);
  const shares = sorted.map(({ rank, percent }) => `rank ${rank ?? '?'} ${formatShare(percent)}`);
  return (
    <p>
      It runs over {formatPlural(ranks.length, 'rank')}: {shares.join(', ')}.
    </p>
  );
}

interface NamesProps {
  path: PathFigures;
  longest: readonly Segment[];
  run: Run;
}

function Names({ path, longest, run }: NamesProps) {
  const [shown, setShown] = useState(FEW_NAMES);
  if (!path.names?.length) return null;
  return (
    <section class="analysis-part">
      <h2>By name</h2>
      <div class="table-scroll">
        <table class="figures wide-figures">
          <caption class="sr-only">The critical path by name</caption>
          <thead>
            <tr>
              <th scope="col" class="words">
                name
              </th>
              <th scope="col" class="words">
                cause
              </th>
              <th scope="col" title="How often the path goes through one of this name">
                segments
              </th>
              <th scope="col" title="On the path, added up">
                time
              </th>
              <th scope="col" title="Of the length of the path">
                share
              </th>
            </tr>
          </thead>
          <tbody>
            {path.names.slice(0, shown).map(({ cause, name, ns, percent, segments }) => (
              <tr key={`${cause} ${name}`}>
                <th scope="row" class="words" title={visible(name, NAME_LIMIT)}>
                  <Door
                    run={run}
                    name={name || (cause === 'others' ? 'all others' : words(cause))}
                    segment={longest.find((one) => one.cause === cause && one.name === name)}
                  />
                </th>
                <td class="words">{words(cause)}</td>
                <td>{formatCount(segments)}</td>
                <td>{formatDuration(ns)}</td>
                <td>{formatShare(percent)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More shown={Math.min(shown, path.names.length)} total={path.names.length} onMore={setShown} />
    </section>
  );
}

/** A name, as a way to a segment of it in the timeline where one is known. */
function Door({ run, name, segment }: { run: Run; name: string; segment: Segment | undefined }) {
  const shown = <bdi>{name ? visible(name, NAME_LIMIT) : '–'}</bdi>;
  return segment ? <a href={segmentUrl(run.url, segment)}>{shown}</a> : shown;
}

function Longest({ run, found, onMore }: { run: Run; found: Segments; onMore: () => void }) {
  const [asked, setAsked] = useState(FIRST);
  const shown = Math.min(asked, found.segments.length);
  const show = (next: number) => {
    setAsked(next);
    if (next >= found.segments.length) onMore();
  };
  return (
    <section class="analysis-part">
      <h2>The longest segments</h2>
      <div class="table-scroll">
        <table class="figures wide-figures">
          <caption class="sr-only">The longest segments of the critical path</caption>
          <thead>
            <tr>
              <th scope="col" class="words">
                event
              </th>
              <th scope="col" class="words">
                cause
              </th>
              {run.ranks > 1 && <th scope="col">rank</th>}
              <th scope="col" title="After the first event of the run, on aligned clocks">
                from
              </th>
              <th scope="col">time</th>
              <th scope="col" title="Of the length of the path">
                share
              </th>
            </tr>
          </thead>
          <tbody>
            {found.segments.slice(0, shown).map((segment) => (
              <tr key={segment.begin_ns}>
                <th scope="row" class="words" title={visible(segment.name, NAME_LIMIT)}>
                  <Door run={run} name={segment.name || words(segment.cause)} segment={segment} />
                </th>
                <td class="words">{words(segment.cause)}</td>
                {run.ranks > 1 && <td>{segment.rank ?? '–'}</td>}
                <td>{formatDuration(segment.begin_ns, 5)}</td>
                <td>{formatDuration(segment.end_ns - segment.begin_ns)}</td>
                <td>
                  {formatShare((100 * (segment.end_ns - segment.begin_ns)) / Math.max(found.length_ns, 1))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More shown={shown} total={found.total} onMore={show} />
    </section>
  );
}
