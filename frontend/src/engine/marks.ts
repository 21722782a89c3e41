// Everything over and around the slices: grid, steps, labels of rows, outlines, the range, the axis.

import { ticks } from './axis';
import type { Box } from './frame';
import type { Pane } from './pane';
import { laneY, type Row, rankKey, SLICE_HEIGHT } from './rows';
import { font, type Mark, type Scene } from './scene';
import { toPixel } from './viewport';

const TICK_PIXELS = 96;

function axisX(scene: Scene, timeNs: number): number {
  return scene.frame.labels + toPixel(scene.view, scene.frame.time, timeNs);
}

/** Half a pixel off, so that a line of one pixel is sharp. */
function crisp(x: number): number {
  return Math.round(x) + 0.5;
}

function verticals(scene: Scene, xs: readonly number[], box: Box): void {
  scene.context.beginPath();
  for (const x of xs) {
    scene.context.moveTo(crisp(x), box.top);
    scene.context.lineTo(crisp(x), box.top + box.height);
  }
  scene.context.stroke();
}

export function paintGrid(scene: Scene, box: Box): void {
  scene.context.strokeStyle = scene.theme.line;
  scene.context.lineWidth = 1;
  const xs = ticks(scene.view, scene.frame.time, TICK_PIXELS).map((tick) => axisX(scene, tick.timeNs));
  verticals(
    scene,
    xs.filter((x) => x >= scene.frame.labels),
    box,
  );
}

export function paintAxis(scene: Scene): void {
  const { context, frame, theme } = scene;
  const { top, height } = frame.axis;
  context.fillStyle = theme.bg;
  context.fillRect(0, top, frame.width, height);
  context.fillStyle = theme.muted;
  context.strokeStyle = theme.muted;
  context.font = font(theme);
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  for (const tick of ticks(scene.view, frame.time, TICK_PIXELS)) {
    const x = axisX(scene, tick.timeNs);
    verticals(scene, [x], { top, height: 6 });
    const isWhole = x + 4 + scene.fitter.width(tick.label) <= frame.width;
    if (isWhole) context.fillText(tick.label, x + 4, top + height / 2 + 2);
  }
  horizontal(scene, top + height - 1, 0);
}

function horizontal(scene: Scene, y: number, left: number): void {
  scene.context.strokeStyle = scene.theme.line;
  scene.context.beginPath();
  scene.context.moveTo(left, crisp(y));
  scene.context.lineTo(scene.frame.width, crisp(y));
  scene.context.stroke();
}

/** Steps of a rank: named in its header row, their beginnings as lines through its rows. */
export function paintSteps(scene: Scene, pane: Pane, rows: readonly Row[], top: number): void {
  const { context, frame, theme, fitter } = scene;
  for (const [i, row] of pane.rows.entries()) {
    if (row.kind !== 'rank') continue;
    const next = pane.rows.slice(i + 1).find((other) => other.kind === 'rank');
    const bottom = next?.y ?? pane.height;
    if (!rows.some((visible) => visible.trace === row.trace)) continue;
    for (const step of pane.layout.steps) {
      if (step.trace !== row.trace) continue;
      const x0 = axisX(scene, step.begin_ns - pane.offsetNs);
      const x1 = axisX(scene, step.end_ns - pane.offsetNs);
      if (x1 < frame.labels || x0 > frame.width) continue;
      context.strokeStyle = theme.muted;
      context.setLineDash([2, 3]);
      if (x0 >= frame.labels) verticals(scene, [x0], { top: top + row.y, height: bottom - row.y });
      context.setLineDash([]);
      if (row.collapsed) continue;
      const left = Math.max(frame.labels, x0) + 4;
      const room = Math.min(x1, frame.width) - left - 4;
      const whole = `${step.name}  ${scene.formatDuration(step.end_ns - step.begin_ns)}`;
      context.fillStyle = theme.muted;
      context.font = font(theme);
      context.textAlign = 'left';
      const text = fitter.width(whole) <= room ? whole : fitter.fit(step.name, room);
      context.fillText(text, left, top + row.y + row.height / 2 + 1);
    }
  }
}

/** The column at the left, which stays while time moves. */
export function paintLabels(scene: Scene, pane: Pane, rows: readonly Row[], top: number, box: Box): void {
  const { context, frame, theme } = scene;
  context.fillStyle = theme.bg;
  context.fillRect(0, box.top, frame.labels, box.height);
  context.textBaseline = 'middle';
  for (const row of rows) paintLabel(scene, row, top);
  const first = rows[0];
  if (!first) return;
  const rank = pane.rows.find((row) => row.key === rankKey(first.trace));
  if (rank && top + rank.y < box.top) paintSticky(scene, rank, box);
}

function paintLabel(scene: Scene, row: Row, top: number): void {
  const { context, frame, theme, fitter } = scene;
  const y = top + row.y;
  const indent = row.kind === 'rank' ? 8 : row.kind === 'group' ? 20 : 32;
  if (row.kind === 'rank') horizontal(scene, y, 0);
  const middle = row.kind === 'track' ? top + laneY(row, 0) + SLICE_HEIGHT / 2 : y + row.height / 2 + 1;
  if (row.kind !== 'track' || row.collapsed) paintArrow(scene, indent, middle, row.collapsed);
  context.font = font(theme, row.kind === 'rank' ? 600 : 400);
  context.fillStyle = row.kind === 'track' ? theme.muted : theme.text;
  context.textAlign = 'left';
  const left = indent + 12;
  const label = fitter.fit(row.label, frame.labels - left - 8);
  context.fillText(label, left, middle);
  if (!row.note) return;
  const noteLeft = left + context.measureText(label).width + 10;
  context.font = font(theme);
  context.fillStyle = theme.muted;
  context.fillText(fitter.fit(row.note, frame.labels - noteLeft - 4), noteLeft, middle);
}

function paintArrow(scene: Scene, x: number, y: number, isCollapsed: boolean): void {
  const { context, theme } = scene;
  context.fillStyle = theme.muted;
  context.beginPath();
  if (isCollapsed) {
    context.moveTo(x, y - 4);
    context.lineTo(x + 6, y);
    context.lineTo(x, y + 4);
  } else {
    context.moveTo(x - 1, y - 3);
    context.lineTo(x + 7, y - 3);
    context.lineTo(x + 3, y + 3);
  }
  context.fill();
}

/** The rank that the first visible row belongs to keeps its name in sight. */
function paintSticky(scene: Scene, rank: Row, box: Box): void {
  const { context, frame, theme } = scene;
  context.fillStyle = theme.bg;
  context.fillRect(0, box.top, frame.labels, rank.height);
  paintLabel(scene, rank, box.top - rank.y);
}

export function paintTitle(scene: Scene, pane: Pane, box: Box): void {
  const { context, frame, theme } = scene;
  if (box.height === 0) return;
  context.fillStyle = theme.surface;
  context.fillRect(0, box.top, frame.width, box.height);
  const middle = box.top + box.height / 2 + 1;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillStyle = theme.text;
  context.font = font(theme, 600);
  context.fillText(pane.title, 12, middle);
  const left = 12 + context.measureText(pane.title).width + 16;
  context.fillStyle = theme.muted;
  context.font = font(theme);
  context.fillText(pane.note, left, middle);
}

/** Outline of an event wherever it lies in a pane; where it has no rectangle of its own, by its times. */
export function paintOutline(
  scene: Scene,
  pane: Pane,
  mark: Mark,
  rows: readonly Row[],
  top: number,
  colour: string,
): void {
  const row = rows.find((candidate) => candidate.kind === 'track' && candidate.track === mark.track);
  if (!row) return;
  const place = pane.find(mark.track, mark.row, scene.view, scene.timeWidth) ?? byTimes(scene, pane, mark);
  if (!place || place.lane >= row.lanes) return;
  const { context, frame, ratio } = scene;
  if (place.x1 < 0 || place.x0 > scene.timeWidth) return;
  const left = frame.labels + Math.max(-3, place.x0 / ratio);
  const right = frame.labels + Math.min(frame.time + 3, Math.max(place.x1, place.x0 + 2) / ratio);
  const y = top + laneY(row, place.lane);
  for (const [ink, width] of [
    [scene.theme.bg, 5], // a rim, so that the outline stands out on any colour
    [colour, 2],
  ] as const) {
    context.strokeStyle = ink;
    context.lineWidth = width;
    context.strokeRect(left - 1, y - 1, right - left + 1, SLICE_HEIGHT + 2);
  }
  context.lineWidth = 1;
}

function byTimes(scene: Scene, pane: Pane, mark: Mark): { lane: number; x0: number; x1: number } | null {
  if (mark.startNs === undefined) return null;
  const view = pane.local(scene.view);
  const x0 = toPixel(view, scene.timeWidth, mark.startNs);
  const x1 = toPixel(view, scene.timeWidth, mark.startNs + (mark.durNs ?? 0));
  return { lane: mark.lane ?? 0, x0, x1 };
}

export function paintRange(scene: Scene): void {
  const { range, context, frame, theme, fitter } = scene;
  if (!range) return;
  const top = frame.axis.top;
  const x0 = Math.max(frame.labels, axisX(scene, range.beginNs));
  const x1 = Math.min(frame.width, axisX(scene, range.endNs));
  if (x1 < x0) return;
  context.fillStyle = theme.accent;
  context.globalAlpha = 0.12;
  context.fillRect(x0, top, x1 - x0, frame.height - top);
  context.globalAlpha = 1;
  context.strokeStyle = theme.accent;
  verticals(scene, [x0, x1], { top, height: frame.height - top });
  const text = scene.formatDuration(range.endNs - range.beginNs);
  const width = fitter.width(text) + 12;
  const middle = Math.min(Math.max((x0 + x1) / 2, frame.labels + width / 2), frame.width - width / 2);
  context.fillStyle = theme.accent;
  context.fillRect(middle - width / 2, top + 4, width, 18);
  context.fillStyle = theme.bg;
  context.font = font(theme, 600);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, middle, top + 13.5);
}

export function paintCrosshair(scene: Scene): void {
  const { mouseX, frame, theme, context } = scene;
  if (mouseX === null || mouseX < 0) return;
  context.strokeStyle = theme.muted;
  context.globalAlpha = 0.5;
  const top = frame.axis.top + frame.axis.height;
  verticals(scene, [frame.labels + mouseX], { top, height: frame.height - top });
  context.globalAlpha = 1;
}
