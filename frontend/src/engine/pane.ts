// One run on the screen: its layout, tiles and names, and where its time lies on the shared axis.

import { levelFor } from '../tiles/geometry';
import type { Segment, TileStore } from '../tiles/store';
import type { Layout } from '../transport/api';
import type { Scale } from './raster';
import { firstReaching, pixelOf, rightEdge } from './raster';
import { buildRows, contentHeight, initiallyCollapsed, type Row } from './rows';
import { nsPerPixel, type Viewport } from './viewport';

export interface NameLookup {
  of(code: number): string | undefined;
}

export interface PaneParts {
  readonly layout: Layout;
  readonly store: TileStore;
  readonly names: NameLookup;
  readonly title: string; // '' for a lone pane
  readonly note: string;
}

/** Where an event is on the screen: lane of its track, device pixels of the pane's time area, and its times. */
export interface Spot {
  readonly lane: number;
  readonly x0: number;
  readonly x1: number;
  readonly startNs: number;
  readonly durNs: number;
  readonly count: number;
  readonly name: number;
}

export class Pane {
  readonly layout: Layout;
  readonly store: TileStore;
  readonly names: NameLookup;
  readonly title: string;
  note: string;
  offsetNs = 0; // time in this run = time on the axis + offset
  rows: readonly Row[] = [];

  constructor(parts: PaneParts) {
    this.layout = parts.layout;
    this.store = parts.store;
    this.names = parts.names;
    this.title = parts.title;
    this.note = parts.note;
    this.arrange(initiallyCollapsed(parts.layout));
  }

  arrange(collapsed: ReadonlySet<string>): void {
    this.rows = buildRows(this.layout, collapsed);
  }

  get height(): number {
    return contentHeight(this.rows);
  }

  /** The run's own window for a window of the axis. */
  local(view: Viewport): Viewport {
    return { beginNs: view.beginNs + this.offsetNs, endNs: view.endNs + this.offsetNs };
  }

  scale(view: Viewport, width: number): Scale {
    return { beginNs: view.beginNs + this.offsetNs, nsPerPixel: nsPerPixel(view, width) };
  }

  cover(track: number, view: Viewport, width: number): Segment[] {
    const { beginNs, endNs } = this.local(view);
    return this.store.cover(track, levelFor(nsPerPixel(view, width)), beginNs, endNs);
  }

  /** Where a row of a track is among what is held for the window; null if it is not, or stands behind another. */
  find(track: number, row: number, view: Viewport, width: number): Spot | null {
    const scale = this.scale(view, width);
    for (const { tile, beginNs, endNs } of this.cover(track, view, width)) {
      for (let lane = 0; lane + 1 < tile.laneOffsets.length; lane++) {
        for (let i = firstReaching(tile, lane, beginNs); i < tile.laneOffsets[lane + 1]; i++) {
          if (tile.startNs[i] >= endNs) break;
          if (tile.row[i] !== row) continue;
          const startNs = tile.startNs[i];
          const durNs = tile.durNs[i];
          const x0 = pixelOf(scale, startNs);
          const x1 = rightEdge(scale, startNs + durNs, x0);
          return { lane, x0, x1, startNs, durNs, count: tile.count[i], name: tile.name[i] };
        }
      }
    }
    return null;
  }
}
