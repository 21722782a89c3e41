// The run's name in the breadcrumb, where it can be changed, and its tags.

import type { Signal } from '@preact/signals';
import type { Desk } from '../run/desk';
import { NameField } from '../run/NameField';
import { Stale } from '../run/Stale';
import { TagEditor, Tags } from '../run/Tags';
import type { Run } from '../transport/api';
import { visible } from '../ui/text';

export type Editing = 'name' | 'tags' | null;

interface RunTitleProps {
  run: Signal<Run>;
  editing: Signal<Editing>;
  desk: Desk;
}

export function RunTitle({ run: { value: run }, editing, desk }: RunTitleProps) {
  const close = () => {
    editing.value = null;
  };
  if (editing.value === 'name') return <NameField run={run} desk={desk} onClose={close} />;
  return (
    <>
      <bdi>{visible(run.name)}</bdi> {run.kind === 'predicted' && <span class="badge">predicted</span>}{' '}
      {run.stale && <Stale run={run} />}{' '}
      {editing.value === 'tags' ? <TagEditor run={run} desk={desk} onClose={close} /> : <Tags run={run} />}
    </>
  );
}
