// What can be done to a run, on whatever page it stands.

import type { Signal } from '@preact/signals';
import { ApiError, type Run, send } from '../transport/api';

/** The page's end of a change: what it shows afterwards. */
export interface Desk {
  readonly csrf: string;
  /** Do it, and say why if it could not be done. */
  ask(what: () => Promise<void>): Promise<void>;
  changed(run: Run): void;
  removed(run: Run): void;
}

export interface Change {
  name?: string;
  tags?: readonly string[];
  project?: string;
}

export function change(desk: Desk, run: Run, what: Change): Promise<void> {
  return desk.ask(async () => desk.changed(await send<Run>('PATCH', `runs/${run.id}/`, desk.csrf, what)));
}

/** Whether all it was read from is kept. */
export function canReadAgain({ kind, originals }: Run): boolean {
  return kind === 'measured' && originals.length > 0 && originals.every(({ url }) => url !== null);
}

/** Read the kept files again; what was computed from the old state stays, marked stale. */
export function readAgain(desk: Desk, run: Run): Promise<void> {
  return desk.ask(async () => desk.changed(await send<Run>('POST', `runs/${run.id}/reread/`, desk.csrf)));
}

/** What a new file takes the place of: a rank, or an original by its index; nothing if it is one more. */
export type Replaced = { replace: number } | { instead_of: number } | Record<string, never>;

/** Add the uploaded files as late ranks, or put one in the place of a broken one. Throws ApiError. */
export function addRanks(run: Run, csrf: string, uploads: string[], replaced: Replaced): Promise<Run> {
  return send<Run>('POST', `runs/${run.id}/traces/`, csrf, { uploads, ...replaced });
}

export function remove(desk: Desk, run: Run): Promise<void> {
  return desk.ask(async () => {
    await send('DELETE', `runs/${run.id}/`, desk.csrf);
    desk.removed(run);
  });
}

/** Clear the problem, do it, and put into words why it was not done. */
export async function askWith(problem: Signal<string>, what: () => Promise<void>): Promise<void> {
  problem.value = '';
  try {
    await what();
  } catch (error) {
    problem.value = error instanceof ApiError ? error.message : 'The server could not be reached. Try again.';
  }
}
