// The runs as rows. templates/runs/row.html and columns.html draw the same without JavaScript.

import { useState } from 'preact/hooks';
import { canReadAgain, readAgain } from '../run/desk';
import { NameField } from '../run/NameField';
import { RunMenu } from '../run/RunMenu';
import { Stale } from '../run/Stale';
import { TagEditor, Tags } from '../run/Tags';
import type { Run } from '../transport/api';
import { isBusy } from '../transport/jobs';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatPlural,
  formatWhen,
} from '../ui/format';
import { JobBar } from '../ui/JobBar';
import { headline } from '../ui/QualityPanel';
import { compareUrl } from '../ui/ReplayButton';
import { DISPLAY_LIMIT, visible } from '../ui/text';
import type { Unfinished } from '../uploads/unfinished';
import type { RunList, Upload } from './runs';

const COLUMNS = 8;
const ERROR_LIMIT = 2000;
const QUEUED = { state: 'queued', stage: '', done: 0, total: 0 } as const;

export function RunsTable({ list, canEdit }: { list: RunList; canEdit: boolean }) {
  return (
    <div class="list-frame">
      <table class="table runs">
        <thead>
          <tr>
            <th scope="col" class="col-name">
              Name
            </th>
            <th scope="col" class="col-count figure">
              Ranks
            </th>
            <th scope="col" class="col-count figure">
              Steps
            </th>
            <th scope="col" class="col-step figure">
              Median step
            </th>
            <th scope="col" class="col-state">
              State
            </th>
            <th scope="col" class="col-who">
              Who
            </th>
            <th scope="col" class="col-when">
              When
            </th>
            <th scope="col" class="col-actions">
              <span class="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {list.uploads.value.map((upload) => (
            <UploadRow key={upload.key} upload={upload} list={list} />
          ))}
          {list.unfinished.value.map((left) => (
            <UnfinishedRow key={left.batch} left={left} list={list} />
          ))}
          {list.runs.value.map((run) => (
            <RunRow key={run.id} run={run} list={list} canEdit={canEdit} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const PHASES = {
  sending: 'uploading',
  waiting: 'waiting for the server,',
  paused: 'paused at',
  failed: '',
} as const;

function UploadRow({ upload, list }: { upload: Upload; list: RunList }) {
  const { key, name, files, sentBytes, totalBytes, phase, error } = upload;
  const job = { state: 'running', stage: PHASES[phase], done: sentBytes, total: totalBytes } as const;
  const isFailed = phase === 'failed';
  return (
    <>
      <tr class={isFailed ? 'failed' : 'uploading'}>
        <td class="name">
          <Name text={name} />
        </td>
        <td colSpan={3} class="figure muted">
          {formatPlural(files.length, 'file')}, {formatBytes(totalBytes)}
        </td>
        <td>{isFailed ? <span class="badge failed">not uploaded</span> : <JobBar job={job} />}</td>
        <td colSpan={3} class="actions">
          {phase === 'paused' && (
            <button type="button" class="button quiet" onClick={() => void list.resumeUpload(upload)}>
              Go on
            </button>
          )}
          {(phase === 'sending' || phase === 'waiting') && (
            <button type="button" class="button quiet" onClick={() => list.pauseUpload(key)}>
              Pause
            </button>
          )}
          <button type="button" class="button quiet" onClick={() => list.cancelUpload(key)}>
            {isFailed ? 'Dismiss' : 'Cancel'}
          </button>
        </td>
      </tr>
      {isFailed && <Reason text={error} onRetry={() => void list.resumeUpload(upload)} />}
    </>
  );
}

/** A page may not open a file by itself again: the user gives it the same one, and it goes on. */
function UnfinishedRow({ left, list }: { left: Unfinished; list: RunList }) {
  return (
    <tr class="unfinished">
      <td class="name">
        <Name text={left.name} />
      </td>
      <td colSpan={4} class="muted">
        {formatBytes(left.arrivedBytes)} of {formatBytes(left.totalBytes)} arrived before the page was left.
        Add the same files again to go on from there.
      </td>
      <td colSpan={3} class="actions">
        <button type="button" class="button quiet" onClick={() => void list.discard(left)}>
          Discard
        </button>
      </td>
    </tr>
  );
}

type Editing = 'name' | 'tags' | null;

function RunRow({ run, list, canEdit }: { run: Run; list: RunList; canEdit: boolean }) {
  const [editing, setEditing] = useState<Editing>(null);
  const ready = run.state === 'ready';
  const close = () => setEditing(null);
  return (
    <>
      <tr class={`${run.state} ${run.kind}${run.error ? ' explained' : ''}`}>
        <td class="name">
          {editing === 'name' ? (
            <NameField run={run} desk={list} onClose={close} />
          ) : (
            <Name text={run.name} url={ready ? run.url : undefined}>
              {run.kind === 'predicted' && <Predicted run={run} />}
              {run.stale && <Stale run={run} />}
            </Name>
          )}
          {editing === 'tags' ? <TagEditor run={run} desk={list} onClose={close} /> : <Tags run={run} />}
        </td>
        <td class="figure">{ready ? formatCount(run.ranks) : '–'}</td>
        <td class="figure">{ready ? formatCount(run.steps) : '–'}</td>
        <td class="figure">{formatDuration(run.median_step_ns)}</td>
        <td>
          <State run={run} />
        </td>
        <td class="who">
          <bdi>{visible(run.created_by, 40)}</bdi>
        </td>
        <td class="when">{formatWhen(run.created_at)}</td>
        <td class="actions">
          <Actions run={run} list={list} canEdit={canEdit} onEdit={setEditing} />
        </td>
      </tr>
      {run.error && (
        <Reason
          text={ready ? `Reading it again failed, and it stays as it was. ${run.error}` : run.error}
          isCancelled={run.job?.state === 'cancelled'}
          onRetry={
            canEdit && run.state === 'failed' && canReadAgain(run)
              ? () => void readAgain(list, run)
              : undefined
          }
        />
      )}
    </>
  );
}

interface NameProps {
  text: string;
  url?: string;
  children?: preact.ComponentChildren;
}

function Name({ text, url, children }: NameProps) {
  const shown = <bdi>{visible(text, DISPLAY_LIMIT)}</bdi>;
  return (
    <span class="run-name">
      {url ? (
        <a class="title" href={url}>
          {shown}
        </a>
      ) : (
        <span class="title">{shown}</span>
      )}
      {children}
    </span>
  );
}

function Predicted({ run }: { run: Run }) {
  const text = run.replay ? `predicted ${formatPercent(run.replay.error_percent)}` : 'predicted';
  if (run.state !== 'ready' || !run.measured_run) return <span class="badge">{text}</span>;
  return (
    <a class="badge" href={compareUrl({ ...run, id: run.measured_run }, run)}>
      {text}
    </a>
  );
}

function State({ run }: { run: Run }) {
  if (isBusy(run)) return <JobBar job={run.job ?? QUEUED} />;
  if (run.job?.state === 'cancelled') return <span class="badge plain">cancelled</span>;
  if (run.state === 'failed') return <span class="badge failed">failed</span>;
  if (run.quality.length === 0) return <>ready</>;
  return (
    <>
      ready{' '}
      <span class="badge warning" title={run.quality.map(headline).join('\n')}>
        {formatPlural(run.quality.length, 'finding')}
      </span>
    </>
  );
}

interface ReasonProps {
  text: string;
  isCancelled?: boolean;
  onRetry?: () => void;
}

function Reason({ text, isCancelled = false, onRetry }: ReasonProps) {
  return (
    <tr class="reason">
      <td colSpan={COLUMNS}>
        <span class={isCancelled ? 'muted' : 'error'}>{visible(text, ERROR_LIMIT)}</span>{' '}
        {onRetry && (
          <button type="button" class="link inline" onClick={onRetry}>
            Try again
          </button>
        )}
      </td>
    </tr>
  );
}

interface ActionsProps {
  run: Run;
  list: RunList;
  canEdit: boolean;
  onEdit: (what: Editing) => void;
}

function Actions({ run, list, canEdit, onEdit }: ActionsProps) {
  return (
    <>
      {canEdit && isBusy(run) && (
        <button type="button" class="button quiet" onClick={() => list.cancelReading(run)}>
          Cancel
        </button>
      )}
      {run.state !== 'reading' && (
        <RunMenu
          run={run}
          desk={list}
          canEdit={canEdit}
          onRename={() => onEdit('name')}
          onTag={() => onEdit('tags')}
        />
      )}
    </>
  );
}
