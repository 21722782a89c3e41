// One picture, from the back to the front.

import { paintLanes, type Strip } from './lanes';
import {
  paintAxis,
  paintCrosshair,
  paintGrid,
  paintLabels,
  paintOutline,
  paintRange,
  paintSteps,
  paintTitle,
} from './marks';
import { paintMinimap } from './minimap';
import { type Row, rowsBetween } from './rows';
import type { Scene } from './scene';

export function paint(scene: Scene, strip: Strip): void {
  const { context, frame, theme, ratio } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = theme.bg;
  context.fillRect(0, 0, frame.width, frame.height);
  scene.panes.forEach((_, index) => {
    paintPane(scene, index, strip);
  });
  paintAxis(scene);
  paintMinimap(scene, strip);
  paintRange(scene);
  paintCrosshair(scene);
}

function paintPane(scene: Scene, index: number, strip: Strip): void {
  const { context, frame, scroll } = scene;
  const pane = scene.panes[index];
  const box = frame.panes[index];
  paintTitle(scene, pane, frame.titles[index]);
  if (box.height === 0) return;
  const rows = rowsBetween(pane.rows, scroll, scroll + box.height);
  const top = box.top - scroll;
  context.save();
  context.beginPath();
  context.rect(0, box.top, frame.width, box.height);
  context.clip();
  paintGrid(scene, box);
  paintSteps(scene, pane, rows, top);
  paintLanes(scene, pane, rows, top, strip);
  paintMarks(scene, index, rows, top);
  paintLabels(scene, pane, rows, top, box);
  context.restore();
}

function paintMarks(scene: Scene, index: number, rows: readonly Row[], top: number): void {
  const { selected, hover, theme, panes } = scene;
  const [chosen, hovered] = [selected[index], hover[index]];
  if (chosen) paintOutline(scene, panes[index], chosen, rows, top, theme.accent);
  if (hovered) paintOutline(scene, panes[index], hovered, rows, top, theme.text);
}
