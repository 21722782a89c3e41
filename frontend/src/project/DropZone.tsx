// The whole window takes files; the button does the same for the keyboard.

import { useEffect, useRef, useState } from 'preact/hooks';
import { ACCEPT, chosenFiles, droppedFiles, type TraceFile, tracesOf } from '../uploads/files';

interface DropProps {
  onFiles: (files: readonly TraceFile[]) => void;
}

const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** A veil while files are over the window. */
export function DropVeil({ onFiles }: DropProps) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const moving = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    // Only leaving the window has no element that is entered next.
    const leaving = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const dropped = (event: DragEvent) => {
      if (!holdsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      setOver(false);
      void droppedFiles(event.dataTransfer).then(onFiles);
    };
    addEventListener('dragover', moving);
    addEventListener('dragleave', leaving);
    addEventListener('drop', dropped);
    return () => {
      removeEventListener('dragover', moving);
      removeEventListener('dragleave', leaving);
      removeEventListener('drop', dropped);
    };
  }, [onFiles]);
  if (!over) return null;
  return (
    <div class="drop-veil">
      <p>Drop the traces of one run: files, folders or an archive</p>
    </div>
  );
}

/** Files, or a whole folder: a file dialog offers one or the other. */
export function FileButton({ onFiles }: DropProps) {
  return (
    <span class="button-row">
      <Picker text="Add a folder…" label="Folder of traces of one run" isFolder onFiles={onFiles} />
      <Picker text="Add a run…" label="Trace files of one run" onFiles={onFiles} />
    </span>
  );
}

interface PickerProps extends DropProps {
  text: string;
  label: string;
  isFolder?: boolean;
}

function Picker({ text, label, isFolder = false, onFiles }: PickerProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) input.current.webkitdirectory = isFolder;
  }, [isFolder]);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={isFolder ? undefined : ACCEPT}
        aria-label={label}
        onChange={(event) => {
          const files = chosenFiles(event.currentTarget.files ?? []);
          event.currentTarget.value = ''; // the same files may be chosen again
          onFiles(isFolder ? tracesOf(files) : files);
        }}
      />
      <button
        type="button"
        class={isFolder ? 'button' : 'button primary'}
        onClick={() => input.current?.click()}
      >
        {text}
      </button>
    </>
  );
}
