// What the painters are given: everything that a picture depends on, and nothing else.

import type { Frame } from './frame';
import type { Pane } from './pane';
import type { TextFitter } from './text';
import type { Theme } from './theme';
import type { Viewport } from './viewport';

/** An event that is pointed at: its track and its row in the trace's table; times once they are known. */
export interface Mark {
  readonly track: number;
  readonly row: number;
  readonly lane?: number;
  readonly startNs?: number;
  readonly durNs?: number;
}

/** Per pane, the event that is pointed at there. */
export type Marks = readonly (Mark | null)[];

export interface Scene {
  readonly context: CanvasRenderingContext2D;
  readonly frame: Frame;
  readonly ratio: number; // device pixels per CSS pixel
  readonly timeWidth: number; // of the time area in device pixels
  readonly view: Viewport;
  readonly minimapView: Viewport;
  readonly scroll: number;
  readonly panes: readonly Pane[];
  readonly theme: Theme;
  readonly fitter: TextFitter;
  readonly hover: Marks;
  readonly selected: Marks;
  /** Per pane, the name whose events are underlined. */
  readonly kin: readonly (number | null)[];
  readonly range: Viewport | null;
  readonly mouseX: number | null; // CSS pixels within the time area
  readonly formatDuration: (ns: number) => string;
}

export const TEXT_SIZE = 11;

export function font(theme: Theme, weight = 400): string {
  return `${weight} ${TEXT_SIZE}px ${theme.font}`;
}
