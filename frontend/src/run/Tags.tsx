// A run's tags: links to all runs that have them, or chips to take away and a field to add one.

import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Run } from '../transport/api';
import { visible } from '../ui/text';
import { change, type Desk } from './desk';

const SHOWN = 4;
const TAG_LIMIT = 40; // characters shown
const NAME_LIMIT = 60; // as the server has it

export function tagUrl(project: string, tag: string): string {
  return `/p/${project}/?tag=${encodeURIComponent(tag)}`;
}

export function Tags({ run }: { run: Run }) {
  const rest = run.tags.slice(SHOWN);
  if (run.tags.length === 0) return null;
  return (
    <span class="tags">
      {run.tags.slice(0, SHOWN).map((tag) => (
        <a key={tag} class="tag" href={tagUrl(run.project, tag)}>
          <bdi>{visible(tag, TAG_LIMIT)}</bdi>
        </a>
      ))}
      {rest.length > 0 && (
        <span class="muted" title={rest.map((tag) => visible(tag, TAG_LIMIT)).join(', ')}>
          +{rest.length}
        </span>
      )}
    </span>
  );
}

interface TagEditorProps {
  run: Run;
  desk: Desk;
  onClose: () => void;
}

/** Enter or a comma adds, Backspace in the empty field takes the last away, Escape or leaving it ends. */
export function TagEditor({ run, desk, onClose }: TagEditorProps) {
  const box = useRef<HTMLFieldSetElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const keep = (tags: readonly string[]) => void change(desk, run, { tags });
  const add = () => {
    const tag = input.current?.value.trim() ?? '';
    if (input.current) input.current.value = '';
    if (tag && !run.tags.includes(tag)) keep([...run.tags, tag]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation(); // no command of the page
    if (event.key === 'Enter' || event.key === ',') {
      event.preventDefault();
      add();
    } else if (event.key === 'Escape') onClose();
    else if (event.key === 'Backspace' && input.current?.value === '') keep(run.tags.slice(0, -1));
  };
  return (
    <fieldset
      ref={box}
      class="tags editing"
      aria-label="Tags"
      onFocusOut={(event) => {
        if (event.relatedTarget && box.current?.contains(event.relatedTarget as Node)) return;
        add();
        onClose();
      }}
    >
      {run.tags.map((tag) => (
        <span key={tag} class="tag">
          <bdi>{visible(tag, TAG_LIMIT)}</bdi>
          <button
            type="button"
            class="tag-remove"
            aria-label={`Remove tag ${visible(tag, TAG_LIMIT)}`}
            // The click would else take the focus, and with it the editor, away before it is a click.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => keep(run.tags.filter((other) => other !== tag))}
          >
            ✕
          </button>
        </span>
      ))}
      <input
        ref={input}
        class="input tag-field"
        aria-label="New tag"
        placeholder="New tag"
        maxLength={NAME_LIMIT}
        onKeyDown={onKeyDown}
      />
    </fieldset>
  );
}
