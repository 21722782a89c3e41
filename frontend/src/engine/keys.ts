// The command table: what a key does, for the handler and for the help sheet. Letters go by their place on the
// keyboard (KeyboardEvent.code), so that WASD is under the same fingers on every layout; signs go by `key`.

export type CommandId =
  | 'zoom-in'
  | 'zoom-out'
  | 'pan-left'
  | 'pan-right'
  | 'previous'
  | 'next'
  | 'shallower'
  | 'deeper'
  | 'previous-alike'
  | 'next-alike'
  | 'focus'
  | 'fit-all'
  | 'back'
  | 'forward'
  | 'collapse'
  | 'clear'
  | 'help'
  | 'search';

export interface Command {
  readonly id: CommandId;
  readonly group: string;
  readonly label: string;
  readonly shown: readonly string[]; // for people
  readonly codes: readonly string[]; // KeyboardEvent.code
  readonly keys: readonly string[]; // KeyboardEvent.key
  readonly isHeld?: boolean; // acts for as long as it is held
}

type Shape = [CommandId, string, string[], string[], string[], boolean?];

const MOVE = 'Move';
const EVENTS = 'Events';
const PAGE = 'Page';

const TABLE: Record<string, Shape[]> = {
  [MOVE]: [
    ['zoom-in', 'Zoom in (Shift: faster)', ['W'], ['KeyW'], [], true],
    ['zoom-out', 'Zoom out', ['S'], ['KeyS'], [], true],
    ['pan-left', 'Pan left', ['A'], ['KeyA'], [], true],
    ['pan-right', 'Pan right', ['D'], ['KeyD'], [], true],
    ['fit-all', 'Fit the busy part; again: everything', ['0'], ['Digit0', 'Numpad0', 'KeyZ'], []],
    ['back', 'Back to the last window', ['Backspace'], ['Backspace'], []],
    ['forward', 'Forward again', ['Shift', 'Backspace'], ['Shift+Backspace'], []],
  ],
  [EVENTS]: [
    ['previous', 'Previous event on the track', ['←', ','], ['ArrowLeft'], [',']],
    ['next', 'Next event on the track', ['→', '.'], ['ArrowRight'], ['.']],
    ['shallower', 'One level up', ['↑'], ['ArrowUp'], []],
    ['deeper', 'One level down', ['↓'], ['ArrowDown'], []],
    ['next-alike', 'Next event of the same name, on any track', ['N'], ['KeyN'], []],
    ['previous-alike', 'Previous event of the same name', ['P'], ['KeyP'], []],
    ['focus', 'Bring the selection into view; again: fit it', ['F'], ['KeyF'], []],
    ['collapse', 'Collapse or open the track of the selection', ['C'], ['KeyC'], []],
    ['clear', 'Clear the range, then the selection', ['Esc'], ['Escape'], []],
  ],
  [PAGE]: [
    ['search', 'Search', ['/'], [], ['/']],
    ['help', 'This sheet', ['?'], [], ['?']],
  ],
};

export const COMMANDS: readonly Command[] = Object.entries(TABLE).flatMap(([group, shapes]) =>
  shapes.map(([id, label, shown, codes, keys, isHeld]) => ({ id, group, label, shown, codes, keys, isHeld })),
);

const MOUSE = 'Mouse';

/** What the mouse does, for the help sheet. */
export const GESTURES: readonly Pick<Command, 'group' | 'label' | 'shown'>[] = [
  { group: MOUSE, label: 'Scroll rows', shown: ['wheel'] },
  { group: MOUSE, label: 'Zoom at the mouse', shown: ['Ctrl', 'wheel'] },
  { group: MOUSE, label: 'Pan', shown: ['Shift', 'wheel'] },
  { group: MOUSE, label: 'Select a range', shown: ['drag'] },
  { group: MOUSE, label: 'Pan', shown: ['Shift', 'drag'] },
  { group: MOUSE, label: 'Zoom to an event', shown: ['double click'] },
];

export interface KeyPress {
  readonly code: string;
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** The command of a key press; null if the page or the browser should have it. */
export function commandFor(press: KeyPress): Command | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  const shifted = COMMANDS.find(({ codes }) => press.shiftKey && codes.includes(`Shift+${press.code}`));
  if (shifted) return shifted;
  return COMMANDS.find(({ codes, keys }) => codes.includes(press.code) || keys.includes(press.key)) ?? null;
}

const PAN_PER_S = 0.9; // windows
const ZOOM_PER_S = 2.2; // e-folds
const FASTER = 3; // with Shift, and again at most when held long
const FULL_SPEED_AFTER_S = 1.2;

/** What held keys do to the window in one frame: `zoom` multiplies the span, `pan` is a share of it. */
export class Motion {
  private readonly held = new Map<CommandId, number>(); // since when, in ms
  isFast = false;

  press(id: CommandId, atMs: number): void {
    if (!this.held.has(id)) this.held.set(id, atMs);
  }

  release(id: CommandId): void {
    this.held.delete(id);
  }

  stop(): void {
    this.held.clear();
    this.isFast = false;
  }

  get isMoving(): boolean {
    return this.held.size > 0;
  }

  step(nowMs: number, elapsedMs: number): { zoom: number; pan: number } {
    const zoom = this.speed('zoom-out', nowMs) - this.speed('zoom-in', nowMs);
    const pan = this.speed('pan-right', nowMs) - this.speed('pan-left', nowMs);
    const seconds = elapsedMs / 1000;
    return { zoom: Math.exp(zoom * ZOOM_PER_S * seconds), pan: pan * PAN_PER_S * seconds };
  }

  /** From 1 at the press to FASTER when held; times FASTER with Shift. */
  private speed(id: CommandId, nowMs: number): number {
    const since = this.held.get(id);
    if (since === undefined) return 0;
    const share = Math.min(1, (nowMs - since) / 1000 / FULL_SPEED_AFTER_S);
    return (1 + (FASTER - 1) * share) * (this.isFast ? FASTER : 1);
  }
}
