// What the viewer pages have in common: keys, states before there is anything to draw, the place of an event.

import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { COMMANDS, GESTURES } from '../engine/keys';
import { trackName } from '../engine/rows';
import type { EventDetail, Job, Layout, Run } from '../transport/api';
import { watchJob } from '../transport/jobs';
import type { HelpEntry } from '../ui/HelpSheet';
import { JobBar } from '../ui/JobBar';
import { visible } from '../ui/text';

export const HELP: readonly HelpEntry[] = [...COMMANDS, ...GESTURES];

/** `rank 0, GPU 0, stream 7`. */
export function placeOf(layout: Layout, event: EventDetail): string {
  const track = layout.tracks[event.track];
  const label = layout.traces[event.trace]?.label ?? '';
  return [label, track?.group, track && trackName(track)].filter(Boolean).join(', ');
}

/** Put actions and badges into the tab bar, which the server rendered. */
export function inTabs(content: preact.ComponentChild): () => void {
  return into('tabs-end', content);
}

/** Draw in an element of the page that is outside the island; returns the way to clear it. */
export function into(id: string, content: preact.ComponentChild): () => void {
  const element = document.getElementById(id);
  if (!element) return () => {};
  element.replaceChildren(); // what the server drew for pages without scripts
  render(content, element);
  return () => render(null, element);
}

export function Notice({ title, children }: { title: string; children?: preact.ComponentChildren }) {
  return (
    <div class="notice">
      <h1 class="large">{title}</h1>
      {children}
    </div>
  );
}

/** A run that is not ready: how far it is, or why it failed, and what can be done. Reloads when the job is over. */
export function NotReady({ run, children }: { run: Run; children?: preact.ComponentChildren }) {
  const { job } = run;
  useEffect(() => {
    if (run.state !== 'reading' || !job) return;
    return watchJob(job.id, job.number, (event) => {
      if (event.state !== 'queued' && event.state !== 'running') location.reload();
    });
  }, [run.id]);
  if (run.state === 'failed') {
    return (
      <Notice title="This run could not be read">
        <p>{visible(run.error, 2000)}</p>
        {children}
      </Notice>
    );
  }
  return <Notice title="Reading">{job && <JobBar job={asShown(job)} />}</Notice>;
}

function asShown({ state, stage, done, total }: Job) {
  return { state, stage, done, total };
}
