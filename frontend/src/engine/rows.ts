// From the run's tracks to rows on the screen: rank, then process or device, then thread or stream. Pure.

import type { Layout, TrackLayout } from '../transport/api';

export const LANE_HEIGHT = 17;
export const SLICE_HEIGHT = 15;
export const HEADER_HEIGHT = 22;
const TRACK_GAP = 4;

/** Heights and y in CSS pixels; y counts from the first row. `key` is what is remembered as collapsed. */
export interface Row {
  readonly kind: 'rank' | 'group' | 'track';
  readonly key: string;
  readonly label: string;
  readonly note: string;
  readonly y: number;
  readonly height: number;
  readonly collapsed: boolean;
  readonly track: number; // of a track; of a header, the track that stands for it while collapsed
  readonly lanes: number; // drawn
  readonly trace: number;
}

/** The profiler's own markers are there, and in nobody's way. */
export function initiallyCollapsed(layout: Layout): Set<string> {
  const keys = new Set<string>();
  const { tracks } = layout;
  tracks.forEach((track, index) => {
    if (track.kind !== 'marker') return;
    keys.add(trackKey(index));
    const siblings = tracks.filter(({ trace, group }) => trace === track.trace && group === track.group);
    if (siblings.every(({ kind }) => kind === 'marker')) keys.add(groupKey(track.trace, track.group));
  });
  return keys;
}

export function trackKey(track: number): string {
  return `t${track}`;
}

export function rankKey(trace: number): string {
  return `r${trace}`;
}

export function groupKey(trace: number, group: string): string {
  return `g${trace}/${group}`;
}

export function buildRows(layout: Layout, collapsed: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  let y = 0;
  const push = (row: Omit<Row, 'y'>) => {
    rows.push({ ...row, y });
    y += row.height;
  };
  for (const [trace, byGroup] of tree(layout)) {
    const inRank = [...byGroup.values()].flat();
    const label = layout.traces[trace]?.label ?? `trace ${trace}`;
    const note = headline(layout, inRank);
    const key = rankKey(trace);
    const summary = layout.overview.tracks[trace]?.[0] ?? busiest(layout, inRank);
    push(header('rank', key, label, note, trace, collapsed, summary));
    if (collapsed.has(key)) continue;
    for (const [group, tracks] of byGroup) {
      const id = groupKey(trace, group);
      push(header('group', id, group, '', trace, collapsed, busiest(layout, tracks)));
      if (collapsed.has(id)) continue;
      for (const track of tracks) push(trackRow(layout.tracks[track], track, trace, collapsed));
    }
  }
  return rows;
}

/** Tracks by trace and group, in the layout's order. */
function tree(layout: Layout): Map<number, Map<string, number[]>> {
  const ranks = new Map<number, Map<string, number[]>>();
  layout.tracks.forEach((track, index) => {
    const groups = ranks.get(track.trace) ?? new Map<string, number[]>();
    ranks.set(track.trace, groups);
    groups.set(track.group, [...(groups.get(track.group) ?? []), index]);
  });
  return ranks;
}

function header(
  kind: 'rank' | 'group',
  key: string,
  label: string,
  note: string,
  trace: number,
  collapsed: ReadonlySet<string>,
  track: number,
): Omit<Row, 'y'> {
  const isCollapsed = collapsed.has(key);
  const lanes = isCollapsed ? 1 : 0;
  return { kind, key, label, note, trace, track, lanes, height: HEADER_HEIGHT, collapsed: isCollapsed };
}

function trackRow(track: TrackLayout, index: number, trace: number, collapsed: ReadonlySet<string>) {
  const key = trackKey(index);
  const isCollapsed = collapsed.has(key);
  const lanes = isCollapsed ? Math.min(1, track.lanes) : track.lanes;
  const height = Math.max(1, lanes) * LANE_HEIGHT + TRACK_GAP;
  const shown = { label: trackName(track), note: '', collapsed: isCollapsed };
  return { kind: 'track' as const, key, trace, track: index, lanes, height, ...shown };
}

/** How a track is called: asynchronous work by its category, which could be mistaken for a thread. */
export function trackName({ kind, name }: Pick<TrackLayout, 'kind' | 'name'>): string {
  if (kind !== 'async') return name;
  return name === 'async' ? 'asynchronous' : `${name}, asynchronous`;
}

function busiest(layout: Layout, tracks: number[]): number {
  return tracks.reduce((a, b) => (layout.tracks[b].events > layout.tracks[a].events ? b : a), tracks[0]);
}

function headline(layout: Layout, tracks: number[]): string {
  const events = tracks.reduce((sum, track) => sum + layout.tracks[track].events, 0);
  return `${events.toLocaleString('en-US')} events`;
}

export function contentHeight(rows: readonly Row[]): number {
  const last = rows[rows.length - 1];
  return last ? last.y + last.height : 0;
}

/** Index of the row that holds `y`, clamped to the ends; -1 without rows. */
export function rowAt(rows: readonly Row[], y: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle].y <= y) low = middle;
    else high = middle - 1;
  }
  return high < 0 ? -1 : low;
}

/** Rows that [from, to) touches. */
export function rowsBetween(rows: readonly Row[], from: number, to: number): readonly Row[] {
  if (!rows.length || to <= from) return [];
  return rows
    .slice(rowAt(rows, from), rowAt(rows, to) + 1)
    .filter((row) => row.y < to && row.y + row.height > from);
}

/** Y of a lane's slices within the content; of a collapsed header its summary. */
export function laneY(row: Row, lane: number): number {
  const inset = row.kind === 'track' ? TRACK_GAP / 2 + 1 : (HEADER_HEIGHT - SLICE_HEIGHT) / 2;
  return row.y + inset + lane * LANE_HEIGHT;
}

/** Lane under `y` (within the content), or -1 between slices. */
export function laneAt(row: Row, y: number): number {
  const lane = Math.floor((y - laneY(row, 0)) / LANE_HEIGHT);
  return lane >= 0 && lane < row.lanes ? lane : -1;
}
