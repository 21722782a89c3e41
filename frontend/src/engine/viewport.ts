// The window on the time axis: integer nanoseconds and the arithmetic between them and pixels. Pure.

export type Nanoseconds = number;
export type CssPixels = number;
export type DevicePixels = number;

export interface Viewport {
  readonly beginNs: Nanoseconds;
  readonly endNs: Nanoseconds;
}

export interface Bounds extends Viewport {}

const MIN_SPAN_NS = 500; // below it a nanosecond is wider than a step of the mouse
const MARGIN = 0.02; // of the bounds, to each side: the first and last events do not stick to the edge

export function spanOf(view: Viewport): Nanoseconds {
  return view.endNs - view.beginNs;
}

export function nsPerPixel(view: Viewport, width: number): number {
  return spanOf(view) / Math.max(1, width);
}

export function toPixel(view: Viewport, width: number, timeNs: Nanoseconds): number {
  return ((timeNs - view.beginNs) / spanOf(view)) * width;
}

export function toTime(view: Viewport, width: number, x: number): Nanoseconds {
  return Math.round(view.beginNs + (x / Math.max(1, width)) * spanOf(view));
}

/** The nearest allowed window: within the bounds and a margin, no shorter than the least span. */
export function clamp(view: Viewport, bounds: Bounds): Viewport {
  const marginNs = Math.ceil(Math.max(MIN_SPAN_NS, spanOf(bounds)) * MARGIN);
  const from = bounds.beginNs - marginNs;
  const to = Math.max(bounds.endNs + marginNs, from + MIN_SPAN_NS);
  const span = Math.min(Math.max(MIN_SPAN_NS, Math.round(spanOf(view))), to - from);
  const middle = (view.beginNs + view.endNs) / 2;
  const begin = Math.round(Math.min(Math.max(middle - span / 2, from), to - span));
  return { beginNs: begin, endNs: begin + span };
}

export function pan(view: Viewport, deltaNs: Nanoseconds, bounds: Bounds): Viewport {
  const delta = Math.round(deltaNs);
  return clamp({ beginNs: view.beginNs + delta, endNs: view.endNs + delta }, bounds);
}

/** Scale the span by `factor` (below 1 = closer) so that `anchorNs` stays at its pixel. */
export function zoom(view: Viewport, factor: number, anchorNs: Nanoseconds, bounds: Bounds): Viewport {
  const span = Math.max(MIN_SPAN_NS, Math.round(spanOf(view) * factor));
  const share = (anchorNs - view.beginNs) / spanOf(view);
  const begin = Math.round(anchorNs - share * span);
  return clamp({ beginNs: begin, endNs: begin + span }, bounds);
}

/** A window around [beginNs, endNs] with a tenth of room to each side. */
export function fit(beginNs: Nanoseconds, endNs: Nanoseconds, bounds: Bounds): Viewport {
  const room = Math.max(50, (endNs - beginNs) * 0.1);
  return clamp({ beginNs: Math.round(beginNs - room), endNs: Math.round(endNs + room) }, bounds);
}

/** The same span with `timeNs` in its middle. */
export function centre(view: Viewport, timeNs: Nanoseconds, bounds: Bounds): Viewport {
  return pan(view, timeNs - (view.beginNs + view.endNs) / 2, bounds);
}

export function same(a: Viewport, b: Viewport): boolean {
  return a.beginNs === b.beginNs && a.endNs === b.endNs;
}

const HISTORY = 100;

/** Windows one can go back to: what was settled on, not each frame of a movement. */
export class ViewHistory {
  private readonly past: Viewport[] = [];
  private readonly future: Viewport[] = [];

  /** Remember the window that is being left. */
  leave(view: Viewport): void {
    const last = this.past[this.past.length - 1];
    if (last && same(last, view)) return;
    this.past.push(view);
    if (this.past.length > HISTORY) this.past.shift();
    this.future.length = 0;
  }

  back(now: Viewport): Viewport | null {
    return ViewHistory.move(this.past, this.future, now);
  }

  forward(now: Viewport): Viewport | null {
    return ViewHistory.move(this.future, this.past, now);
  }

  private static move(from: Viewport[], to: Viewport[], now: Viewport): Viewport | null {
    let target = from.pop() ?? null;
    if (target && same(target, now)) target = from.pop() ?? null;
    if (target) to.push(now);
    return target;
  }
}
