// What would make a run faster, as rows that can be sorted and filtered.

import type { Gain, SensitivityEntry } from '../transport/api';

export type Column = 'kind' | 'name' | 'events' | 'time' | 'gain' | 'bound';
export type Of = 'step' | 'run';

export interface Choice {
  readonly of: Of;
  /** The kind shown, or all. */
  readonly kind: string | null;
  /** Words that the name holds, in any order. */
  readonly text: string;
  readonly column: Column;
  readonly isAscending: boolean;
}

export interface Line {
  readonly entry: SensitivityEntry;
  readonly gain: Gain;
}

const COLUMNS: readonly Column[] = ['kind', 'name', 'events', 'time', 'gain', 'bound'];

/** The choice that the address names; of the median step where there are steps, and what gains most first. */
export function choiceOf(search: string, hasSteps: boolean): Choice {
  const params = new URLSearchParams(search);
  return {
    of: hasSteps && params.get('of') !== 'run' ? 'step' : 'run',
    kind: params.get('kind'),
    text: params.get('text') ?? '',
    column: COLUMNS.find((column) => column === params.get('sort')) ?? 'gain',
    isAscending: params.get('order') === 'up',
  };
}

/** The address of a choice. */
export function searchOf({ of, kind, text, column, isAscending }: Choice): string {
  const params = new URLSearchParams({ of, sort: column });
  if (kind !== null) params.set('kind', kind);
  if (text) params.set('text', text);
  if (isAscending) params.set('order', 'up');
  return `?${params}`;
}

/** The lines of a choice, in its order; equal ones stay in the server's order, most gain first. */
export function linesOf(entries: readonly SensitivityEntry[], choice: Choice): Line[] {
  const words = choice.text.toLowerCase().split(/\s+/).filter(Boolean);
  const lines: Line[] = [];
  for (const entry of entries) {
    const gain = entry[choice.of];
    const name = entry.name.toLowerCase();
    if (gain && (choice.kind ?? entry.kind) === entry.kind && words.every((word) => name.includes(word)))
      lines.push({ entry, gain });
  }
  const sign = choice.isAscending ? 1 : -1;
  return lines.sort((a, b) => sign * compare(keyOf(a, choice.column), keyOf(b, choice.column)));
}

/** The choice after a click on a column's heading: texts begin with A, figures with the largest. */
export function sortedBy(choice: Choice, column: Column): Choice {
  const first = column === 'kind' || column === 'name';
  return { ...choice, column, isAscending: choice.column === column ? !choice.isAscending : first };
}

function keyOf({ entry, gain }: Line, column: Column): string | number {
  switch (column) {
    case 'kind':
      return entry.kind;
    case 'name':
      return entry.name;
    case 'events':
      return entry.events;
    case 'time':
      return entry.total_ns;
    case 'gain':
      return gain.gain_ns_per_percent;
    case 'bound':
      return gain.bound_ns;
  }
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
