// What of a run is exported, and its address.

import type { ClockMode, Run } from '../transport/api';

export const FORMATS = [
  ['chrome', 'Chrome JSON', 'opens in Perfetto, in chrome://tracing, and here again'],
  ['arrow', 'Arrow', 'the event table, for polars, pandas, DuckDB'],
  ['parquet', 'Parquet', 'the same, compressed'],
  ['csv', 'CSV', 'for a spreadsheet'],
] as const;

export type Format = (typeof FORMATS)[number][0];

/** A part of the run that a page can point at. */
export interface Part {
  readonly label: string;
  readonly range?: { readonly beginNs: number; readonly endNs: number };
  readonly tracks?: readonly number[];
  readonly traces?: readonly number[];
}

export const WHOLE: Part = { label: 'Whole run' };

/** As docs/protocol.md has it; a range, of these clocks, is rounded outwards to whole nanoseconds. */
export function exportUrl(run: Run, format: Format, part: Part, clock: ClockMode = 'recorded'): string {
  const { range, tracks, traces } = part;
  const query = new URLSearchParams({ format });
  if (clock === 'aligned') query.set('clock', clock);
  if (range) {
    query.set('begin_ns', String(Math.floor(range.beginNs)));
    query.set('end_ns', String(Math.ceil(range.endNs)));
  }
  const lists = Object.entries({ tracks, traces })
    .filter(([, places]) => places)
    .map(([name, places]) => `&${name}=${places!.join(',')}`);
  return `/api/v1/runs/${run.id}/export/?${query}${lists.join('')}`;
}
