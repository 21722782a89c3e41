// The surface: a canvas with one or more panes on one time axis. It owns window, scroll, selection and what is
// collapsed; it paints when something changed, and says what it would need and what the user did.

import type { Wanted } from '../tiles/needs';
import { acrossLanes, beside, eventsOf, type Hit, hitAt, nearest } from './cursor';
import { arrange, type Frame, type Place, placeAt } from './frame';
import { Strip } from './lanes';
import { minimapExtent } from './minimap';
import { paint } from './paint';
import type { Pane } from './pane';
import {
  groupKey,
  initiallyCollapsed,
  LANE_HEIGHT,
  laneY,
  type Row,
  rankKey,
  rowsBetween,
  trackKey,
} from './rows';
import { font, type Mark, type Marks } from './scene';
import { TextFitter } from './text';
import { buildTheme, type Theme } from './theme';
import {
  type Bounds,
  centre,
  clamp,
  fit,
  same,
  spanOf,
  toTime,
  ViewHistory,
  type Viewport,
} from './viewport';

/** The event chosen in one pane and, where panes are paired, its pair in the others. */
export interface Selection {
  readonly pane: number;
  readonly marks: Marks;
}

export interface SurfaceEvents {
  /** What the panes want tiles for; called after a paint that changed window, rows or tiles. */
  want(pane: number, wanted: Wanted): void;
  hover(hit: Hit | null, x: number, y: number): void;
  select(hit: Hit | null): void;
  view(view: Viewport): void;
  range(range: Viewport | null): void;
  /** Before each paint: set the panes' offsets for this window. */
  align?(view: Viewport): void;
  formatDuration(ns: number): string;
}

export interface SurfaceOptions {
  readonly hasMinimap: boolean;
  readonly isPaired: boolean; // (track, row) means the same event in all panes
  readonly view: Viewport;
  readonly bounds: Bounds;
}

export class Surface {
  readonly canvas: HTMLCanvasElement;
  frame: Frame = arrange(1, 1, 1, 0);
  ratio = 1;
  view: Viewport;
  selection: Selection | null = null;
  range: Viewport | null = null;
  private kin: readonly (number | null)[] = [];
  private hovered: Hit | null = null;
  private mouse: { x: number; y: number } | null = null;
  private collapsed: Set<string>;
  private theme: Theme;
  private fitter: TextFitter;
  private scheduled = 0;
  private isStale = true; // window, rows or tiles changed: ask again what is needed
  private readonly history = new ViewHistory();
  private readonly strip = new Strip();
  private readonly context: CanvasRenderingContext2D;
  private readonly spacer: HTMLElement;
  private readonly resizes: ResizeObserver;
  private readonly themes: MutationObserver;

  constructor(
    readonly host: HTMLElement,
    readonly panes: readonly Pane[],
    private readonly options: SurfaceOptions,
    private readonly events: SurfaceEvents,
  ) {
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'surface-canvas';
    this.spacer = document.createElement('div');
    host.replaceChildren(this.canvas, this.spacer);
    this.context = this.canvas.getContext('2d', { alpha: false })!;
    this.view = clamp(options.view, options.bounds);
    this.collapsed = initiallyCollapsed(panes[0].layout);
    this.theme = this.readTheme();
    this.fitter = this.makeFitter();
    this.resizes = new ResizeObserver(() => this.resize());
    this.resizes.observe(host);
    this.themes = new MutationObserver(() => this.restyle());
    this.themes.observe(document.documentElement, { attributeFilter: ['data-theme', 'class', 'style'] });
    host.addEventListener('scroll', () => this.changed());
    this.resize();
  }

  destroy(): void {
    cancelAnimationFrame(this.scheduled);
    this.resizes.disconnect();
    this.themes.disconnect();
    this.host.replaceChildren();
  }

  get timeWidth(): number {
    return Math.max(1, this.canvas.width - Math.round(this.frame.labels * this.ratio));
  }

  get bounds(): Bounds {
    return this.options.bounds;
  }

  /** Paint at the next frame; `changed` also asks again what is needed. */
  repaint(): void {
    if (!this.scheduled) this.scheduled = requestAnimationFrame(() => this.draw());
  }

  changed(): void {
    this.isStale = true;
    this.repaint();
  }

  setView(view: Viewport): void {
    const next = clamp(view, this.options.bounds);
    if (same(next, this.view)) return;
    this.view = next;
    this.events.view(next);
    this.changed();
  }

  /** Move to another window and remember this one, for a jump rather than a frame of a movement. */
  jump(view: Viewport): void {
    this.history.leave(this.view);
    this.setView(view);
  }

  /** Remember the window at the start of a movement. */
  leaving(): void {
    this.history.leave(this.view);
  }

  back(): void {
    const view = this.history.back(this.view);
    if (view) this.setView(view);
  }

  forward(): void {
    const view = this.history.forward(this.view);
    if (view) this.setView(view);
  }

  /** The busy part of the run, or all of it if that is what is shown. */
  fitAll(): void {
    const dense = clamp(toViewport(this.panes[0].layout.view), this.bounds);
    this.jump(same(this.view, dense) ? this.bounds : dense);
  }

  setRange(range: Viewport | null): void {
    this.range = range;
    this.events.range(range);
    this.repaint();
  }

  /** Point at an event, or at nothing, without telling anybody. */
  setSelection(selection: Selection | null): void {
    this.selection = selection;
    this.repaint();
  }

  /** Underline the events of a name, per pane; null: of none. */
  setKin(kin: readonly (number | null)[]): void {
    this.kin = kin;
    this.repaint();
  }

  select(hit: Hit | null): void {
    this.setSelection(hit && { pane: hit.pane, marks: this.marksOf(hit) });
    this.events.select(hit);
  }

  /** The mark of a hit in its own pane, and of its pair wherever that lies in the others. */
  private marksOf(hit: Hit | null): Marks {
    if (!hit) return [];
    const { track, row, lane, startNs, durNs } = hit;
    return this.panes.map((_, pane) => {
      if (pane === hit.pane) return { track, row, lane, startNs, durNs };
      return this.options.isPaired ? { track, row } : null;
    });
  }

  private get chosen(): Mark | null {
    return this.selection && (this.selection.marks[this.selection.pane] ?? null);
  }

  /** Bring the selection into view, or fit it if it is in view; a range goes first. */
  focus(): void {
    if (this.range) {
      this.jump(fit(this.range.beginNs, this.range.endNs, this.bounds));
      return;
    }
    const mark = this.chosen;
    if (mark?.startNs === undefined) return;
    const offset = this.panes[this.selection!.pane].offsetNs;
    const beginNs = mark.startNs - offset;
    const endNs = beginNs + (mark.durNs ?? 0);
    const isInView = this.showRow(mark) && beginNs >= this.view.beginNs && endNs <= this.view.endNs;
    if (isInView || endNs - beginNs > spanOf(this.view)) this.jump(fit(beginNs, endNs, this.bounds));
    else this.jump(centre(this.view, (beginNs + endNs) / 2, this.bounds));
  }

  /** Bring the selection into view: open what hides it, scroll to it, and show it at a size that can be seen. */
  reveal(): void {
    const mark = this.chosen;
    if (mark?.startNs === undefined || !this.selection) return;
    const { layout, offsetNs } = this.panes[this.selection.pane];
    const { trace, group } = layout.tracks[mark.track];
    for (const key of [rankKey(trace), groupKey(trace, group)]) this.collapsed.delete(key);
    this.arrangeRows();
    this.showRow(mark);
    const beginNs = mark.startNs - offsetNs;
    const durNs = mark.durNs ?? 0;
    const isSmall = durNs < spanOf(this.view) / 200;
    const isInView = beginNs >= this.view.beginNs && beginNs + durNs <= this.view.endNs;
    if (isSmall) this.jump(fit(beginNs - 10 * durNs, beginNs + 11 * durNs, this.bounds));
    else if (!isInView) this.jump(centre(this.view, beginNs + durNs / 2, this.bounds));
  }

  /** Scroll so that the mark's lane is on the screen; whether it was. */
  private showRow(mark: Mark): boolean {
    const pane = this.panes[this.selection?.pane ?? 0];
    const row = pane.rows.find((candidate) => candidate.kind === 'track' && candidate.track === mark.track);
    if (!row) return true;
    const box = this.frame.panes[this.selection?.pane ?? 0];
    const y = laneY(row, Math.min(mark.lane ?? 0, Math.max(0, row.lanes - 1)));
    const isVisible = y >= this.scroll && y + LANE_HEIGHT <= this.scroll + box.height;
    if (!isVisible) this.host.scrollTop = Math.max(0, y - box.height / 3);
    return isVisible;
  }

  /** Keyboard cursor: along the lane or across lanes; the first press selects what is in the middle. */
  step(move: 'previous' | 'next' | 'shallower' | 'deeper'): void {
    const from = this.selectedHit();
    const hit = from ? this.neighbour(from, move) : this.middleHit();
    if (!hit) return;
    this.select(hit);
    const offset = this.panes[hit.pane].offsetNs;
    const isInView =
      hit.startNs - offset < this.view.endNs && hit.startNs + hit.durNs - offset > this.view.beginNs;
    if (!isInView) this.jump(centre(this.view, hit.startNs - offset + hit.durNs / 2, this.bounds));
    this.showRow(this.chosen!);
  }

  private neighbour(from: Hit, move: 'previous' | 'next' | 'shallower' | 'deeper'): Hit | null {
    const pane = this.panes[from.pane];
    if (move === 'previous' || move === 'next') {
      return beside(pane, from, move === 'next' ? 1 : -1, this.view, this.timeWidth);
    }
    return acrossLanes(pane, from, move === 'deeper' ? 1 : -1, this.view, this.timeWidth);
  }

  private selectedHit(): Hit | null {
    if (!this.selection) return null;
    const { pane } = this.selection;
    const mark = this.chosen;
    if (mark?.startNs === undefined) return null;
    const { track, row, lane = 0, startNs, durNs = 0 } = mark;
    return { pane, track, row, lane, startNs, durNs, count: 1, name: 0 };
  }

  private middleHit(): Hit | null {
    const [pane] = this.panes;
    for (const row of this.visibleRows(0)) {
      if (row.kind !== 'track') continue;
      const hits = eventsOf(pane, 0, row.track, 0, this.view, this.timeWidth);
      if (hits.length) return nearest(hits, (this.view.beginNs + this.view.endNs) / 2);
    }
    return null;
  }

  /** Events on the screen, longest first: what a reader of the screen is given as a table. */
  longest(limit: number): Hit[] {
    const hits = this.panes.flatMap((pane, index) =>
      this.visibleRows(index)
        .filter((row) => row.kind === 'track')
        .flatMap((row) =>
          Array.from({ length: row.lanes }, (_, lane) =>
            eventsOf(pane, index, row.track, lane, this.view, this.timeWidth),
          ).flat(),
        ),
    );
    return hits.sort((a, b) => b.durNs - a.durNs).slice(0, limit);
  }

  toggle(key: string): void {
    if (!this.collapsed.delete(key)) this.collapsed.add(key);
    this.arrangeRows();
  }

  toggleSelectedTrack(): void {
    if (this.chosen) this.toggle(trackKey(this.chosen.track));
  }

  private arrangeRows(): void {
    for (const pane of this.panes) pane.arrange(this.collapsed);
    this.setSpacer();
    this.changed();
  }

  get scroll(): number {
    return this.host.scrollTop;
  }

  place(x: number, y: number): Place {
    const rows = this.panes.map((pane) => pane.rows);
    return placeAt(this.frame, rows, this.scroll, x, y);
  }

  hitAt(x: number, y: number): Hit | null {
    const place = this.place(x, y);
    if (place.area !== 'time') return null;
    const pane = this.panes[place.pane];
    const deviceX = (x - this.frame.labels) * this.ratio;
    return hitAt(pane, place.pane, place.row, place.contentY, deviceX, this.view, this.timeWidth, this.ratio);
  }

  /** The mouse is at (x, y), or away. */
  point(x: number | null, y: number): void {
    this.mouse = x === null ? null : { x, y };
    this.lookUnderMouse();
    this.repaint();
  }

  /** What lies under the mouse, which also changes when the mouse rests and the picture moves. */
  private lookUnderMouse(): void {
    const { mouse } = this;
    const hit = mouse && this.hitAt(mouse.x, mouse.y);
    if (hit || this.hovered) this.events.hover(hit, mouse?.x ?? 0, mouse?.y ?? 0);
    this.hovered = hit;
  }

  /** Time on the axis at CSS pixel x. */
  timeAt(x: number): number {
    return toTime(this.view, this.frame.time, x - this.frame.labels);
  }

  minimapView(): Viewport {
    const { view, span } = this.panes[0].layout;
    return minimapExtent(this.view, toViewport(view), toViewport(span));
  }

  /** The rows of a pane that are on the screen. */
  visibleRows(pane: number): readonly Row[] {
    const box = this.frame.panes[pane];
    return rowsBetween(this.panes[pane].rows, this.scroll, this.scroll + box.height);
  }

  private resize(): void {
    const width = this.host.clientWidth;
    const height = this.host.clientHeight;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const ranks = this.options.hasMinimap ? this.panes[0].layout.traces.length : 0;
    this.frame = arrange(width, height, this.panes.length, ranks);
    this.setSpacer();
    this.isStale = true;
    this.draw(); // at once: a resized canvas is blank
  }

  /** The host scrolls natively: it is as tall as the canvas and what does not fit into the least pane. */
  private setSpacer(): void {
    const room = Math.min(...this.frame.panes.map((box) => box.height));
    const content = Math.max(...this.panes.map((pane) => pane.height));
    this.spacer.style.height = `${Math.max(0, content - room)}px`;
  }

  private readTheme(): Theme {
    const style = getComputedStyle(document.documentElement);
    return buildTheme((name) => style.getPropertyValue(name).trim());
  }

  private makeFitter(): TextFitter {
    const context = document.createElement('canvas').getContext('2d')!;
    context.font = font(this.theme);
    return new TextFitter((character) => context.measureText(character).width);
  }

  private restyle(): void {
    this.theme = this.readTheme();
    this.fitter = this.makeFitter();
    this.repaint();
  }

  private draw(): void {
    cancelAnimationFrame(this.scheduled);
    this.scheduled = 0;
    this.events.align?.(this.view);
    if (this.isStale && this.mouse) this.lookUnderMouse();
    paint(
      {
        context: this.context,
        frame: this.frame,
        ratio: this.ratio,
        timeWidth: this.timeWidth,
        view: this.view,
        minimapView: this.minimapView(),
        scroll: this.scroll,
        panes: this.panes,
        theme: this.theme,
        fitter: this.fitter,
        hover: this.marksOf(this.hovered),
        selected: this.selection?.marks ?? [],
        kin: this.kin,
        range: this.range,
        mouseX: this.mouse && this.mouse.x - this.frame.labels,
        formatDuration: this.events.formatDuration,
      },
      this.strip,
    );
    if (this.isStale) this.ask();
    this.isStale = false;
  }

  private ask(): void {
    this.panes.forEach((pane, index) => {
      const box = this.frame.panes[index];
      const tracksOf = (from: number, to: number) => [
        ...new Set(rowsBetween(pane.rows, from, to).flatMap((row) => (row.lanes ? [row.track] : []))),
      ];
      const { overview, tracks, span } = pane.layout;
      this.events.want(index, {
        ...pane.local(this.view),
        devicePixels: this.timeWidth,
        tracks: tracksOf(this.scroll, this.scroll + box.height),
        nearTracks: tracksOf(this.scroll - box.height, this.scroll + 2 * box.height),
        overview: this.options.hasMinimap ? [{ level: overview.level, tracks: overview.tracks.flat() }] : [],
        extents: tracks,
        endOfRunNs: span[1] + 1,
      });
    });
  }
}

export function toViewport([beginNs, endNs]: readonly [number, number]): Viewport {
  return { beginNs, endNs };
}
