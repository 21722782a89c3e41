// Draws a pane's slices: a strip of scanlines, one per lane, each stretched to its place; then text on wide slices.

import type { Segment } from '../tiles/store';
import type { Pane } from './pane';
import { type Notes, type Placed, rasterLane, spansOfName } from './raster';
import { laneY, type Row, SLICE_HEIGHT } from './rows';
import { font, type Scene } from './scene';

const TEXT_FROM = 26; // CSS pixels a slice needs to carry text
const PADDING = 4;
const DURATION_GAP = 7;
const UNDERLINE = 2;
const CHEVRON = 4; // half its width

interface Line {
  readonly row: Row;
  readonly lane: number;
  readonly segments: readonly Segment[];
}

/** Scanlines on their way to the screen: an image as wide as the time area, one row of pixels per lane. */
export class Strip {
  private readonly canvas = document.createElement('canvas');
  private readonly context = this.canvas.getContext('2d', { willReadFrequently: true })!;
  private image: ImageData | null = null;

  /** Clear pixels for so many lanes. */
  begin(width: number, lanes: number): Uint32Array {
    if (this.canvas.width !== width || this.canvas.height < lanes || this.image === null) {
      this.canvas.width = width;
      this.canvas.height = Math.max(64, lanes);
      this.image = this.context.createImageData(width, this.canvas.height);
    }
    const pixels = new Uint32Array(this.image.data.buffer, 0, width * lanes);
    pixels.fill(0);
    return pixels;
  }

  end(width: number, lanes: number): void {
    this.context.putImageData(this.image!, 0, 0, 0, 0, width, lanes);
  }

  /** Stretch one lane to `height` device pixels at (x, y). */
  draw(
    context: CanvasRenderingContext2D,
    lane: number,
    width: number,
    x: number,
    y: number,
    height: number,
  ): void {
    context.drawImage(this.canvas, 0, lane, width, 1, x, y, width, height);
  }
}

/** Draw all lanes of the visible rows. The pane's box is clipped by the caller. */
export function paintLanes(scene: Scene, pane: Pane, rows: readonly Row[], top: number, strip: Strip): void {
  const lines = linesOf(scene, pane, rows, top);
  const { timeWidth, ratio, theme, context } = scene;
  const scale = pane.scale(scene.view, timeWidth);
  const pixels = strip.begin(timeWidth, lines.length);
  const notes = lines.map(() => ({ wide: [], instants: [] }) as Notes);
  lines.forEach(({ segments, lane }, i) => {
    const wideFrom = TEXT_FROM * ratio;
    rasterLane(pixels, i * timeWidth, timeWidth, scale, segments, lane, theme.palette, wideFrom, notes[i]);
  });
  strip.end(timeWidth, lines.length);

  const left = scene.frame.width * ratio - timeWidth;
  const height = Math.round(SLICE_HEIGHT * ratio);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.imageSmoothingEnabled = false;
  lines.forEach(({ row, lane }, i) => {
    context.globalAlpha = row.kind === 'track' ? 1 : 0.55;
    strip.draw(context, i, timeWidth, left, Math.round((top + laneY(row, lane)) * ratio), height);
  });
  context.globalAlpha = 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = font(theme);
  lines.forEach(({ row, lane }, i) => {
    if (row.kind !== 'track') return;
    const y = top + laneY(row, lane);
    for (const placed of notes[i].wide) paintText(scene, pane, placed, y);
    paintInstants(scene, notes[i].instants, y);
  });
  const kin = scene.kin[scene.panes.indexOf(pane)] ?? null;
  if (kin !== null) for (const line of lines) underline(scene, pane, line, top, kin);
}

/** A line under each event of a name, so that one finds all of them at a glance. */
function underline(scene: Scene, pane: Pane, { row, lane, segments }: Line, top: number, name: number): void {
  const { context, ratio, theme, timeWidth, frame } = scene;
  const y = top + laneY(row, lane) + SLICE_HEIGHT - UNDERLINE;
  context.fillStyle = theme.text;
  for (const [x0, x1] of spansOfName(pane.scale(scene.view, timeWidth), timeWidth, segments, lane, name)) {
    context.fillRect(frame.labels + x0 / ratio, y, Math.max(1, (x1 - x0) / ratio - 1), UNDERLINE);
  }
}

/** The visible lanes, each with the tiles to draw it from (shared by the lanes of a track). */
function linesOf(scene: Scene, pane: Pane, rows: readonly Row[], top: number): Line[] {
  const box = scene.frame.panes[scene.panes.indexOf(pane)];
  const lines: Line[] = [];
  for (const row of rows) {
    if (row.lanes === 0) continue;
    const segments = pane.cover(row.track, scene.view, scene.timeWidth);
    for (let lane = 0; lane < row.lanes; lane++) {
      const y = top + laneY(row, lane);
      if (y + SLICE_HEIGHT > box.top && y < box.top + box.height) lines.push({ row, lane, segments });
    }
  }
  return lines;
}

/** Name and duration within the visible part of a slice; the duration only where the name leaves it room. */
function paintText(scene: Scene, pane: Pane, { tile, index, x0, x1 }: Placed, y: number): void {
  const { ratio, fitter, theme, context, frame } = scene;
  const name = pane.names.of(tile.name[index]);
  if (name === undefined) return;
  const begin = Math.max(0, x0 / ratio) + PADDING;
  const room = Math.min(frame.time, x1 / ratio) - PADDING - begin;
  const duration = scene.formatDuration(tile.durNs[index]);
  const durationWidth = fitter.width(duration) + DURATION_GAP;
  const isRoomy = fitter.width(name) + durationWidth <= room || room > 150;
  const shown = fitter.fit(name, isRoomy ? room - durationWidth : room);
  if (!shown) return;
  const x = frame.labels + begin;
  context.fillStyle = theme.ink[tile.colour[index]];
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const middle = y + SLICE_HEIGHT / 2 + 0.5;
  context.fillText(shown, x, middle);
  if (isRoomy) context.fillText(duration, x + fitter.width(shown) + DURATION_GAP, middle);
}

/** Events without duration as chevrons, left out where one would cover the one before. */
function paintInstants(scene: Scene, instants: readonly Placed[], y: number): void {
  const { context, ratio, theme, frame } = scene;
  let free = Number.NEGATIVE_INFINITY;
  for (const { tile, index, x0 } of instants) {
    const x = frame.labels + (x0 + 0.5) / ratio;
    if (x < free) continue;
    free = x + 2 * CHEVRON;
    context.fillStyle = theme.slices[tile.colour[index]];
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + CHEVRON, y + SLICE_HEIGHT);
    context.lineTo(x, y + SLICE_HEIGHT - CHEVRON);
    context.lineTo(x - CHEVRON, y + SLICE_HEIGHT);
    context.fill();
  }
}
