// Mouse, wheel and keys of a surface.

import { type CommandId, commandFor, Motion } from './keys';
import type { Surface } from './surface';
import { fit, pan, spanOf, toTime, type Viewport, zoom } from './viewport';

const DRAG_FROM = 4; // CSS pixels
const WHEEL_ZOOM = 0.0022; // e-folds per pixel of wheel; a notch is 100 or 120
const LINE_PIXELS = 16;
const WHEEL_REST_MS = 400; // after it, turning the wheel is a new movement

type Drag =
  | {
      readonly kind: 'pan';
      readonly view: Viewport;
      readonly x: number;
      readonly y: number;
      readonly scroll: number;
    }
  | { readonly kind: 'range'; readonly x: number; readonly fromNs: number; isMoving: boolean }
  | { readonly kind: 'minimap'; readonly grabbedNs: number };

export class Input {
  private readonly motion = new Motion();
  private drag: Drag | null = null;
  private lastX: number | null = null;
  private frameAt = 0;
  private wheelAt = Number.NEGATIVE_INFINITY;
  private readonly abort = new AbortController();

  /** `command` is what the surface cannot do itself: help and search. */
  constructor(
    private readonly surface: Surface,
    private readonly command: (id: CommandId) => void,
  ) {
    const { host } = surface;
    const { signal } = this.abort;
    host.addEventListener('pointerdown', (event) => this.down(event), { signal });
    host.addEventListener('pointermove', (event) => this.move(event), { signal });
    host.addEventListener('pointerup', (event) => this.up(event), { signal });
    host.addEventListener('pointercancel', () => this.letGo(), { signal });
    host.addEventListener('pointerleave', () => this.leave(), { signal });
    host.addEventListener('dblclick', (event) => this.zoomToEvent(event), { signal });
    host.addEventListener('wheel', (event) => this.wheel(event), { signal, passive: false });
    window.addEventListener('keydown', (event) => this.key(event), { signal });
    window.addEventListener('keyup', (event) => this.release(event), { signal });
    window.addEventListener('blur', () => this.motion.stop(), { signal });
  }

  destroy(): void {
    this.abort.abort();
    this.motion.stop();
  }

  private at(event: MouseEvent): { x: number; y: number } {
    const box = this.surface.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down(event: PointerEvent): void {
    const { x, y } = this.at(event);
    const { surface } = this;
    if (x > surface.host.clientWidth || event.button > 1) return; // the scroll bar; the menu button
    const place = surface.place(x, y);
    if (place.area === 'minimap') this.startMinimap(x);
    else if (place.area === 'labels' && event.button === 0) {
      surface.toggle(place.row.key);
      return;
    } else if (event.shiftKey || event.button === 1 || event.pointerType === 'touch') this.startPan(x, y);
    else this.drag = { kind: 'range', x, fromNs: surface.timeAt(x), isMoving: false };
    if (event.button === 1) event.preventDefault();
    surface.host.setPointerCapture(event.pointerId);
  }

  private startPan(x: number, y: number): void {
    this.surface.leaving();
    this.drag = { kind: 'pan', view: this.surface.view, x, y, scroll: this.surface.scroll };
  }

  private startMinimap(x: number): void {
    this.surface.leaving();
    const { view } = this.surface;
    const timeNs = this.minimapTime(x);
    const isInside = timeNs >= view.beginNs && timeNs <= view.endNs;
    this.drag = { kind: 'minimap', grabbedNs: isInside ? timeNs - view.beginNs : spanOf(view) / 2 };
    this.moveMinimap(x, this.drag.grabbedNs);
  }

  private minimapTime(x: number): number {
    const { frame } = this.surface;
    return toTime(this.surface.minimapView(), frame.time, x - frame.labels);
  }

  private moveMinimap(x: number, grabbedNs: number): void {
    const { view } = this.surface;
    const beginNs = Math.round(this.minimapTime(x) - grabbedNs);
    this.surface.setView({ beginNs, endNs: beginNs + spanOf(view) });
  }

  private move(event: PointerEvent): void {
    const { x, y } = this.at(event);
    this.lastX = x;
    const { drag, surface } = this;
    if (drag?.kind === 'pan') {
      const deltaNs = ((drag.x - x) / surface.frame.time) * spanOf(drag.view);
      surface.setView(pan(drag.view, deltaNs, surface.bounds));
      surface.host.scrollTop = drag.scroll + drag.y - y;
    } else if (drag?.kind === 'minimap') {
      this.moveMinimap(x, drag.grabbedNs);
    } else if (drag?.kind === 'range') {
      this.moveRange(drag, x);
    }
    surface.point(drag ? null : x, y);
  }

  private moveRange(drag: Extract<Drag, { kind: 'range' }>, x: number): void {
    drag.isMoving ||= Math.abs(x - drag.x) >= DRAG_FROM;
    if (!drag.isMoving) return;
    const { frame } = this.surface;
    const timeNs = this.surface.timeAt(Math.min(Math.max(x, frame.labels), frame.width));
    const [beginNs, endNs] = [Math.min(drag.fromNs, timeNs), Math.max(drag.fromNs, timeNs)];
    this.surface.setRange({ beginNs, endNs });
  }

  private up(event: PointerEvent): void {
    const { x, y } = this.at(event);
    const { drag } = this;
    this.letGo();
    if (drag?.kind !== 'range' || drag.isMoving) return;
    if (this.surface.range) this.surface.setRange(null);
    if (this.surface.place(x, y).area !== 'axis') this.surface.select(this.surface.hitAt(x, y));
  }

  private letGo(): void {
    this.drag = null;
  }

  private leave(): void {
    this.lastX = null;
    this.surface.point(null, 0);
  }

  private zoomToEvent(event: MouseEvent): void {
    const { x, y } = this.at(event);
    const hit = this.surface.hitAt(x, y);
    if (!hit) return;
    const beginNs = hit.startNs - this.surface.panes[hit.pane].offsetNs;
    this.surface.jump(fit(beginNs, beginNs + hit.durNs, this.surface.bounds));
  }

  /** Plain wheel scrolls natively; a pinch arrives as Ctrl + wheel. */
  private wheel(event: WheelEvent): void {
    const { surface } = this;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.ctrlKey || event.metaKey) {
      this.wheelMoves(event);
      const anchor = surface.timeAt(this.at(event).x);
      surface.setView(zoom(surface.view, Math.exp(dy * WHEEL_ZOOM), anchor, surface.bounds));
    } else if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      this.wheelMoves(event);
      const pixels = Math.abs(dx) > Math.abs(dy) ? dx : dy;
      surface.setView(
        pan(surface.view, (pixels / surface.frame.time) * spanOf(surface.view), surface.bounds),
      );
    }
  }

  private wheelMoves(event: WheelEvent): void {
    event.preventDefault();
    if (event.timeStamp - this.wheelAt > WHEEL_REST_MS) this.surface.leaving();
    this.wheelAt = event.timeStamp;
  }

  private key(event: KeyboardEvent): void {
    if (isTyping(event.target)) return;
    const command = commandFor(event);
    if (!command) return;
    this.motion.isFast = event.shiftKey;
    event.preventDefault();
    if (!command.isHeld) {
      this.run(command.id);
      return;
    }
    if (!this.motion.isMoving) {
      this.surface.leaving();
      this.frameAt = performance.now();
      requestAnimationFrame(() => this.glide());
    }
    this.motion.press(command.id, performance.now());
  }

  private release(event: KeyboardEvent): void {
    this.motion.isFast = event.shiftKey;
    const command = commandFor({ ...pressOf(event), ctrlKey: false, metaKey: false, altKey: false });
    if (command) this.motion.release(command.id);
  }

  private run(id: CommandId): void {
    const { surface } = this;
    const actions: Partial<Record<CommandId, () => void>> = {
      previous: () => surface.step('previous'),
      next: () => surface.step('next'),
      shallower: () => surface.step('shallower'),
      deeper: () => surface.step('deeper'),
      focus: () => surface.focus(),
      'fit-all': () => surface.fitAll(),
      back: () => surface.back(),
      forward: () => surface.forward(),
      collapse: () => surface.toggleSelectedTrack(),
      clear: () => (surface.range ? surface.setRange(null) : surface.select(null)),
    };
    (actions[id] ?? (() => this.command(id)))();
  }

  /** One frame of held keys. */
  private glide(): void {
    if (!this.motion.isMoving) return;
    const now = performance.now();
    const { surface } = this;
    const { zoom: factor, pan: share } = this.motion.step(now, Math.min(50, now - this.frameAt));
    this.frameAt = now;
    const middle = surface.frame.labels + surface.frame.time / 2;
    const anchor = surface.timeAt(Math.max(surface.frame.labels, this.lastX ?? middle));
    const zoomed = zoom(surface.view, factor, anchor, surface.bounds);
    surface.setView(pan(zoomed, share * spanOf(zoomed), surface.bounds));
    requestAnimationFrame(() => this.glide());
  }
}

function pressOf({ code, key, shiftKey }: KeyboardEvent) {
  return { code, key, shiftKey };
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    /^(INPUT|TEXTAREA|SELECT|DIALOG)$/.test(target.tagName) ||
    !!target.closest('dialog')
  );
}
