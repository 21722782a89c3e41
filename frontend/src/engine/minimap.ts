// The whole run in a few pixels per rank, with the window on it.

import { levelFor } from '../tiles/geometry';
import type { Strip } from './lanes';
import { rasterLane } from './raster';
import { font, type Scene } from './scene';
import { nsPerPixel, spanOf, toPixel, type Viewport } from './viewport';

const PADDING = 2;
const HANDLE = 3;

export function paintMinimap(scene: Scene, strip: Strip): void {
  const { context, frame, theme, panes } = scene;
  if (frame.minimap.height === 0) return;
  context.fillStyle = theme.surface;
  context.fillRect(0, 0, frame.width, frame.minimap.height);
  paintRanks(scene, strip);
  paintNames(
    scene,
    panes[0].layout.traces.map((trace) => trace.label),
  );
  paintWindow(scene);
}

function paintRanks(scene: Scene, strip: Strip): void {
  const { context, frame, theme, panes, ratio, timeWidth, minimapView } = scene;
  const [{ layout, store }] = panes;
  const scale = { beginNs: minimapView.beginNs, nsPerPixel: nsPerPixel(minimapView, timeWidth) };
  const level = Math.max(levelFor(scale.nsPerPixel), layout.overview.level);
  const ranks = layout.overview.tracks;
  const pixels = strip.begin(timeWidth, ranks.length);
  ranks.forEach((tracks, rank) => {
    for (const track of tracks) {
      const segments = store.cover(track, level, minimapView.beginNs, minimapView.endNs);
      for (let lane = 0; lane < layout.tracks[track].lanes; lane++) {
        const notes = { wide: [], instants: [] };
        const never = Number.POSITIVE_INFINITY;
        rasterLane(pixels, rank * timeWidth, timeWidth, scale, segments, lane, theme.palette, never, notes);
      }
    }
  });
  strip.end(timeWidth, ranks.length);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.imageSmoothingEnabled = false;
  const left = frame.width * ratio - timeWidth;
  const height = Math.max(1, Math.round((frame.minimapRow - Math.min(5, frame.minimapRow / 3)) * ratio));
  ranks.forEach((_, rank) => {
    const y = Math.round((PADDING + rank * frame.minimapRow + 2) * ratio);
    strip.draw(context, rank, timeWidth, left, y, height);
  });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

function paintNames(scene: Scene, labels: readonly string[]): void {
  const { context, frame, theme, fitter } = scene;
  if (frame.minimapRow < 12) return;
  context.font = font(theme);
  context.fillStyle = theme.muted;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  labels.forEach((label, rank) => {
    const y = PADDING + (rank + 0.5) * frame.minimapRow + 1;
    context.fillText(fitter.fit(label, frame.labels - 24), 12, y);
  });
}

function paintWindow(scene: Scene): void {
  const { context, frame, theme, view, minimapView } = scene;
  const x0 = Math.max(0, toPixel(minimapView, frame.time, view.beginNs));
  const x1 = Math.min(frame.time, toPixel(minimapView, frame.time, view.endNs));
  const width = Math.max(HANDLE, x1 - x0);
  const left = frame.labels + Math.min(x0, frame.time - width);
  context.fillStyle = theme.accent;
  context.globalAlpha = 0.1;
  context.fillRect(left, 1, width, frame.minimap.height - 2);
  context.globalAlpha = 1;
  context.strokeStyle = theme.accent;
  context.strokeRect(left + 0.5, 1.5, width - 1, frame.minimap.height - 3);
}

/** What the minimap spans: the busy part, or all of the run once the window leaves it. */
export function minimapExtent(view: Viewport, dense: Viewport, whole: Viewport): Viewport {
  const slackNs = spanOf(dense) * 0.05;
  const isInside = view.beginNs >= dense.beginNs - slackNs && view.endNs <= dense.endNs + slackNs;
  return isInside ? dense : whole;
}
