// The files a run was read from: to download, to replace a broken one, to add a rank that came late.

import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, type Member, type Original, type Run } from '../transport/api';
import { isBusy } from '../transport/jobs';
import { formatBytes } from '../ui/format';
import { JobBar, type JobShown } from '../ui/JobBar';
import { Sheet } from '../ui/Sheet';
import { visible } from '../ui/text';
import { Batch } from '../uploads/batch';
import { ACCEPT, chosenFiles } from '../uploads/files';
import { addRanks, type Desk, type Replaced } from './desk';

interface FilesSheetProps {
  run: Run;
  desk: Desk;
  canEdit: boolean;
  onClose: () => void;
}

/** Closing the sheet stops an upload; the same file chosen again goes on where it was. */
export function FilesSheet({ run, desk, canEdit, onClose }: FilesSheetProps) {
  const [job, setJob] = useState<JobShown | null>(null);
  const [problem, setProblem] = useState('');
  const isOpen = canEdit && run.state !== 'reading' && !isBusy(run);
  const sending = useRef<Batch | null>(null);
  useEffect(() => () => sending.current?.leave(), []);
  const add = async (files: readonly File[], replaced: Replaced) => {
    setProblem('');
    const to = { slug: run.project, csrf: desk.csrf, run: run.name };
    const batch: Batch = new Batch(chosenFiles(files), to, ({ sentBytes, isWaiting }) =>
      setJob(uploading(sentBytes, batch.totalBytes, isWaiting)),
    );
    sending.current = batch;
    setJob(uploading(0, batch.totalBytes, false));
    try {
      const changed = await batch.make((uploads) => addRanks(run, desk.csrf, uploads, replaced));
      onClose();
      desk.changed(changed);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code !== 'paused') setProblem(error.message);
      setJob(null);
    }
  };
  return (
    <Sheet title="Files and ranks" isPlain onClose={onClose}>
      <div class="form">
        <table class="figures files">
          <thead>
            <tr>
              <th scope="col">Rank</th>
              <th scope="col">File, as it was uploaded</th>
              <th scope="col">Size</th>
              <th scope="col">
                <span class="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {run.originals.flatMap((original) => {
              const onReplace = isOpen && !job ? add : undefined;
              return [
                <FileLine key={original.index} original={original} onReplace={onReplace} />,
                ...severalIn(original).map((member) => (
                  <MemberLine
                    key={`${original.index} ${member.name}`}
                    member={member}
                    onReplace={onReplace}
                  />
                )),
              ];
            })}
          </tbody>
        </table>
        {problem && (
          <p class="error" role="alert">
            {visible(problem, 2000)}
          </p>
        )}
        {job && <JobBar job={job} />}
        {isOpen && !job && (
          <div class="button-row">
            <FilePicker label="Add a rank…" isMultiple onFiles={(files) => void add(files, {})} />
          </div>
        )}
      </div>
    </Sheet>
  );
}

function uploading(done: number, total: number, isWaiting: boolean): JobShown {
  return { state: 'running', stage: isWaiting ? 'waiting for the server,' : 'uploading', done, total };
}

/** The traces of an archive, if it holds more than the one that its own line stands for. */
function severalIn({ members }: Original): readonly Member[] {
  return members.length > 1 ? members : [];
}

type Replace = (files: readonly File[], replaced: Replaced) => Promise<void>;

function FileLine({ original, onReplace }: { original: Original; onReplace?: Replace }) {
  const { index, rank, file_name, size_bytes, url } = original;
  return (
    <tr>
      <td>{rank ?? '–'}</td>
      <td class="file-name">
        <bdi>{visible(file_name, 120)}</bdi>
      </td>
      <td>{formatBytes(size_bytes)}</td>
      <td class="file-actions">
        {url ? (
          <a class="button quiet" href={url} download={file_name}>
            Download
          </a>
        ) : (
          <span class="muted">not kept</span>
        )}
        {onReplace && (
          <FilePicker
            label="Replace…"
            isQuiet
            onFiles={(files) =>
              void onReplace(files, rank === null ? { instead_of: index } : { replace: rank })
            }
          />
        )}
      </td>
    </tr>
  );
}

/** One of several traces in an archive: it can be replaced, the others stay. */
function MemberLine({ member: { rank, name }, onReplace }: { member: Member; onReplace?: Replace }) {
  return (
    <tr class="member">
      <td>{rank ?? '–'}</td>
      <td class="file-name" colSpan={2}>
        <bdi>{visible(name.slice(name.indexOf('/') + 1), 120)}</bdi>
      </td>
      <td class="file-actions">
        {onReplace && rank !== null && (
          <FilePicker
            label="Replace…"
            isQuiet
            onFiles={(files) => void onReplace(files, { replace: rank })}
          />
        )}
      </td>
    </tr>
  );
}

interface FilePickerProps {
  label: string;
  isMultiple?: boolean;
  isQuiet?: boolean;
  onFiles: (files: readonly File[]) => void;
}

function FilePicker({ label, isMultiple = false, isQuiet = false, onFiles }: FilePickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        multiple={isMultiple}
        accept={ACCEPT}
        aria-label={label}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = ''; // the same file may be chosen again
          if (files.length > 0) onFiles(files);
        }}
      />
      <button
        type="button"
        class={isQuiet ? 'button quiet' : 'button'}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
    </>
  );
}
