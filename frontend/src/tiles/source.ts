// Asks for tiles: over the websocket while it is open, else by GET. The newest wish replaces older ones.

import { fromBinary } from '@bufbuild/protobuf';
import { type Tiles, TilesSchema } from '../protocol/messages_pb';
import { getBytes } from '../transport/api';
import type { Connection } from '../transport/connection';
import type { TileNeed } from './needs';

const VIEW_EVERY_MS = 60;
const GETS_AT_ONCE = 2;
const RETRY_MS = 2000;

/** Of a layout what tells its tiles from those of another. */
export interface TilesOf {
  readonly version: string;
  readonly aligned: boolean;
}

export class TileSource {
  private wish: TileNeed[] = [];
  private asked = new Set<string>(); // of the last View: what it names is on its way
  private readonly getting = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sentAt = 0;
  private readonly unlisten: () => void;
  private readonly unwatch: () => void;

  constructor(
    private readonly link: Connection,
    private readonly pane: number,
    private readonly run: string,
    private readonly layout: TilesOf,
    private readonly take: (tiles: Tiles) => void,
    private readonly get: (path: string) => Promise<Uint8Array> = getBytes,
  ) {
    this.unlisten = link.listen(
      () => this.ask(),
      (message) => {
        const { case: kind, value } = message.kind;
        if (kind !== 'tiles' || value.pane !== pane || value.run !== run) return;
        if (value.aligned === layout.aligned) take(value);
      },
    );
    this.unwatch = link.status.subscribe(() => this.fetchSome());
  }

  /** State all that is lacking now, most urgent first. Cheap to call each frame. */
  want(needs: TileNeed[]): void {
    this.wish = needs;
    if (!this.link.isOpen) this.fetchSome();
    else if (needs.some((need) => need.tracks.some((track) => !this.asked.has(keyOf(need, track))))) {
      clearTimeout(this.timer);
      const waitMs = this.sentAt + VIEW_EVERY_MS - performance.now();
      if (waitMs <= 0) this.ask();
      else this.timer = setTimeout(() => this.ask(), waitMs);
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.wish = [];
    this.unwatch();
    this.unlisten();
  }

  private ask(): void {
    this.sentAt = performance.now();
    this.asked = new Set(this.wish.flatMap((need) => need.tracks.map((track) => keyOf(need, track))));
    const { aligned } = this.layout;
    this.link.send({ case: 'view', value: { pane: this.pane, run: this.run, needs: this.wish, aligned } });
  }

  private get query(): string {
    const { version, aligned } = this.layout;
    return aligned ? `v=${version}&clock=aligned` : `v=${version}`;
  }

  private fetchSome(): void {
    const status = this.link.status.value;
    if (status !== 'http' && status !== 'lost') return;
    for (const need of this.wish) {
      if (this.getting.size >= GETS_AT_ONCE) return;
      const path = `runs/${this.run}/tiles/${need.level}/${need.index}/?${this.query}&tracks=${need.tracks}`;
      if (!this.getting.has(path)) void this.fetchOne(path);
    }
  }

  /** What came changes the wish, and with it what is fetched next; after a failure the same is tried again. */
  private async fetchOne(path: string): Promise<void> {
    this.getting.add(path);
    const bytes = await this.get(path).catch(() => null);
    if (bytes) this.take(fromBinary(TilesSchema, bytes));
    else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    this.getting.delete(path);
    this.fetchSome();
  }
}

function keyOf(need: TileNeed, track: number): string {
  return `${track}/${need.level}/${need.index}`;
}
