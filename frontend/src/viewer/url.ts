// The address is the state: window, selection, axis. Restored when the page is opened.

import type { Viewport } from '../engine/viewport';

export interface UrlState {
  readonly view: Viewport | null;
  readonly selected: { readonly pane: number; readonly trace: number; readonly row: number } | null;
  readonly axis: string | null;
}

const WHOLE = /^-?\d{1,16}$/;

export function parseState(search: string): UrlState {
  const params = new URLSearchParams(search);
  const [from, to] = [whole(params.get('from')), whole(params.get('to'))];
  const [trace, row, pane = 0] = (params.get('event') ?? '').split('.').map(whole);
  return {
    view: from !== null && to !== null && to > from ? { beginNs: from, endNs: to } : null,
    selected: isIndex(trace) && isIndex(row) && isIndex(pane) ? { pane, trace, row } : null,
    axis: params.get('axis'),
  };
}

/** The search part, `?` included; other parameters of `search` stay. */
export function formatState(state: UrlState, search = ''): string {
  const params = new URLSearchParams(search);
  const { view, selected } = state;
  set(params, 'from', view && String(view.beginNs));
  set(params, 'to', view && String(view.endNs));
  const place = selected && [selected.trace, selected.row, ...(selected.pane ? [selected.pane] : [])];
  set(params, 'event', place ? place.join('.') : null);
  set(params, 'axis', state.axis);
  return `?${params}`;
}

function set(params: URLSearchParams, key: string, value: string | null): void {
  if (value === null) params.delete(key);
  else params.set(key, value);
}

function whole(text: string | null): number | null {
  return text !== null && WHOLE.test(text) ? Number(text) : null;
}

function isIndex(value: number | null | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}
