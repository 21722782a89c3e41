import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Run } from '../transport/api';
import { change, type Desk } from './desk';

const NAME_LIMIT = 4000;

interface NameFieldProps {
  run: Run;
  desk: Desk;
  onClose: () => void;
}

/** The name where it stands, as a field: Enter or leaving it saves, Escape does not. */
export function NameField({ run, desk, onClose }: NameFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const isOver = useRef(false);
  useLayoutEffect(() => input.current?.select(), []);
  const end = (isSaved: boolean) => {
    if (isOver.current) return; // a field that goes away loses the focus, too
    isOver.current = true;
    const name = input.current?.value.trim() ?? '';
    onClose();
    if (isSaved && name && name !== run.name) void change(desk, run, { name });
  };
  return (
    <input
      ref={input}
      class="input name-field"
      aria-label="Name of the run"
      maxLength={NAME_LIMIT}
      defaultValue={run.name}
      onBlur={() => end(true)}
      onKeyDown={(event) => {
        event.stopPropagation(); // no command of the page
        if (event.key === 'Enter') end(true);
        if (event.key === 'Escape') end(false);
      }}
    />
  );
}
