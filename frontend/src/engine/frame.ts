// Where things are on the surface, in CSS pixels from its top left corner. Pure.

import type { Row } from './rows';
import { rowAt } from './rows';

export const AXIS_HEIGHT = 26;
export const TITLE_HEIGHT = 28;
const MINIMAP_ROW = 18;
const MINIMAP_MOST = 144;
const MINIMAP_PADDING = 2;

export interface Box {
  readonly top: number;
  readonly height: number;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly labels: number; // width of the column at the left
  readonly time: number; // width of the time area, to the right of it
  readonly minimap: Box;
  readonly minimapRow: number;
  readonly axis: Box;
  readonly titles: readonly Box[]; // of each pane, height 0 for a lone one
  readonly panes: readonly Box[];
}

export function arrange(width: number, height: number, panes: number, ranks: number): Frame {
  const labels = width < 700 ? 120 : 200;
  const minimapRow = ranks ? Math.max(3, Math.min(MINIMAP_ROW, Math.floor(MINIMAP_MOST / ranks))) : 0;
  const minimapHeight = ranks ? ranks * minimapRow + 2 * MINIMAP_PADDING : 0;
  const axis = { top: minimapHeight, height: AXIS_HEIGHT };
  const title = panes > 1 ? TITLE_HEIGHT : 0;
  const each = Math.max(0, Math.floor((height - axis.top - AXIS_HEIGHT) / panes));
  const tops = Array.from({ length: panes }, (_, pane) => axis.top + AXIS_HEIGHT + pane * each);
  return {
    width,
    height,
    labels,
    time: Math.max(1, width - labels),
    minimap: { top: 0, height: minimapHeight },
    minimapRow,
    axis,
    titles: tops.map((top) => ({ top, height: title })),
    panes: tops.map((top) => ({ top: top + title, height: Math.max(0, each - title) })),
  };
}

export type Place =
  | { readonly area: 'minimap' | 'axis' | 'title' | 'nothing' }
  | { readonly area: 'labels' | 'time'; readonly pane: number; readonly row: Row; readonly contentY: number };

/** What lies at (x, y) when the rows are scrolled by `scroll`. */
export function placeAt(
  frame: Frame,
  rowsOf: readonly (readonly Row[])[],
  scroll: number,
  x: number,
  y: number,
): Place {
  if (y < frame.minimap.height) return { area: 'minimap' };
  if (y < frame.axis.top + frame.axis.height) return { area: 'axis' };
  const pane = frame.panes.findIndex((box) => y >= box.top && y < box.top + box.height);
  if (pane < 0) return { area: 'title' };
  const contentY = y - frame.panes[pane].top + scroll;
  const row = rowsOf[pane][rowAt(rowsOf[pane], contentY)];
  if (!row || contentY >= row.y + row.height) return { area: 'nothing' };
  return { area: x < frame.labels ? 'labels' : 'time', pane, row, contentY };
}
