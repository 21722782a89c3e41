// The actions of a run, the same on its page and in the list.

import { useState } from 'preact/hooks';
import type { ClockMode, Run } from '../transport/api';
import { Menu, MenuItem } from '../ui/Menu';
import { visible } from '../ui/text';
import { canReadAgain, type Desk, readAgain, remove } from './desk';
import { ExportSheet } from './ExportSheet';
import type { Part } from './exporting';
import { FilesSheet } from './FilesSheet';
import { MoveSheet } from './MoveSheet';

interface RunMenuProps {
  run: Run;
  desk: Desk;
  canEdit: boolean;
  /** The parts of the run that the page could export besides all of it. */
  parts?: () => readonly Part[];
  /** On which clocks the page shows the run. */
  shownClock?: ClockMode;
  onRename: () => void;
  onTag: () => void;
}

type Sheets = 'export' | 'files' | 'move';

export function RunMenu({
  run,
  desk,
  canEdit,
  parts,
  shownClock = 'recorded',
  onRename,
  onTag,
}: RunMenuProps) {
  const [sheet, setSheet] = useState<Sheets | null>(null);
  const close = () => setSheet(null);
  const isReady = run.state === 'ready';
  const isReading = run.state === 'reading';
  const isMeasured = run.kind === 'measured';
  const hasFiles = isMeasured && run.originals.length > 0;
  return (
    <>
      <Menu label={`Actions on ${visible(run.name, 80)}`} text="⋯">
        {canEdit && <MenuItem onPick={onRename}>Rename</MenuItem>}
        {canEdit && <MenuItem onPick={onTag}>Tags</MenuItem>}
        {isReady && <MenuItem onPick={() => setSheet('export')}>Export, open in Perfetto…</MenuItem>}
        {hasFiles && <MenuItem onPick={() => setSheet('files')}>Files and ranks…</MenuItem>}
        {canEdit && !isReading && canReadAgain(run) && (
          <MenuItem onPick={() => void readAgain(desk, run)}>Read again</MenuItem>
        )}
        {canEdit && isMeasured && (
          <MenuItem onPick={() => setSheet('move')}>Move to another project…</MenuItem>
        )}
        {canEdit && <DeleteItem onDelete={() => void remove(desk, run)} />}
      </Menu>
      {sheet === 'export' && (
        <ExportSheet run={run} parts={parts?.() ?? []} shownClock={shownClock} onClose={close} />
      )}
      {sheet === 'files' && <FilesSheet run={run} desk={desk} canEdit={canEdit} onClose={close} />}
      {sheet === 'move' && <MoveSheet run={run} desk={desk} onClose={close} />}
    </>
  );
}

function DeleteItem({ onDelete }: { onDelete: () => void }) {
  const [isAsked, setAsked] = useState(false);
  return (
    <MenuItem isGrave={isAsked} isOpenAfter={!isAsked} onPick={() => (isAsked ? onDelete() : setAsked(true))}>
      {isAsked ? 'Really delete, with its files?' : 'Delete'}
    </MenuItem>
  );
}
