// A run's data behind its pane: layout, tiles on demand, names.

import { Pane } from '../engine/pane';
import { Names } from '../tiles/names';
import { needsOf, type Wanted } from '../tiles/needs';
import { TileSource } from '../tiles/source';
import { TileStore } from '../tiles/store';
import { type ClockMode, getJson, type Layout, type Run } from '../transport/api';
import { connection } from '../transport/connection';
import { visible } from '../ui/text';

export class RunPane {
  readonly pane: Pane;
  private readonly store = new TileStore();
  private readonly names: Names;
  private readonly source: TileSource;
  private wanted: Wanted | null = null;

  /** `arrived` is called whenever there is more to draw. */
  constructor(
    index: number,
    readonly run: Run,
    readonly layout: Layout,
    title: string,
    note: string,
    arrived: () => void,
  ) {
    this.names = new Names(run.id, arrived);
    this.pane = new Pane({ layout, store: this.store, names: this.names, title, note });
    const tilesOf = { version: layout.version, aligned: layout.clock === 'aligned' };
    this.source = new TileSource(connection(), index, run.id, tilesOf, (tiles) => {
      for (const columns of this.store.add(tiles)) this.names.want(columns.name);
      if (this.wanted) this.source.want(needsOf(this.wanted, this.store));
      arrived();
    });
  }

  /** What the pane looks at now. */
  want(wanted: Wanted): void {
    this.wanted = wanted;
    this.source.want(needsOf(wanted, this.store));
  }

  close(): void {
    this.source.close();
  }
}

/** The layout, with its names as they may be shown. */
export async function loadLayout(run: Run, clock: ClockMode = 'recorded'): Promise<Layout> {
  const query = clock === 'aligned' ? '?clock=aligned' : '';
  const layout = await getJson<Layout>(`runs/${run.id}/timeline/${query}`);
  return {
    ...layout,
    traces: layout.traces.map((trace) => ({ ...trace, label: visible(trace.label) })),
    tracks: layout.tracks.map((track) => ({
      ...track,
      group: visible(track.group),
      name: visible(track.name),
    })),
    steps: layout.steps.map((step) => ({ ...step, name: visible(step.name) })),
  };
}
