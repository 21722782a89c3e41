// The tiles that one run's pane holds, bounded, and what to show of them: the sharp tile, or finer ones while
// zooming out, or a coarser one while the sharp one is on its way. Like a map: never blank once anything came.

import type { Tiles } from '../protocol/messages_pb';
import { decodeTile, type TileColumns } from './decode';
import { TOP_LEVEL, tileRange, tileSpanNs } from './geometry';

/** A part of the time axis and the tile to draw there. */
export interface Segment {
  readonly tile: TileColumns;
  readonly beginNs: number;
  readonly endNs: number;
}

interface Held {
  readonly columns: TileColumns;
  used: number;
}

const MAX_BYTES = 96 * 2 ** 20;
const FINER_DEPTH = 3;

export class TileStore {
  private readonly held = new Map<string, Held>();
  private bytes = 0;
  private clock = 0;
  private highest = 0; // of all levels held: no need to look above it

  constructor(private readonly maxBytes = MAX_BYTES) {}

  get sizeBytes(): number {
    return this.bytes;
  }

  /** Take a message in and return what it held. Throws RangeError on columns out of contract. */
  add(tiles: Tiles): TileColumns[] {
    const taken = tiles.tiles.map((tile) => {
      const columns = decodeTile(tile);
      this.put(tile.track, tiles.level, tiles.index, columns);
      return columns;
    });
    if (this.bytes > this.maxBytes) this.evict();
    return taken;
  }

  put(track: number, level: number, index: number, columns: TileColumns): void {
    const key = keyOf(track, level, index);
    this.bytes += columns.bytes - (this.held.get(key)?.columns.bytes ?? 0);
    this.held.set(key, { columns, used: ++this.clock });
    this.highest = Math.max(this.highest, level);
  }

  has(track: number, level: number, index: number): boolean {
    return this.held.has(keyOf(track, level, index));
  }

  get(track: number, level: number, index: number): TileColumns | undefined {
    const held = this.held.get(keyOf(track, level, index));
    if (held) held.used = ++this.clock;
    return held?.columns;
  }

  /** The best tiles held for [beginNs, endNs) at `level`, in time order; holes only where nothing is held. */
  cover(track: number, level: number, beginNs: number, endNs: number): Segment[] {
    const segments: Segment[] = [];
    const range = tileRange(beginNs, endNs, level);
    if (range) {
      for (let index = range.first; index <= range.last; index++) this.best(track, level, index, segments);
    }
    return segments;
  }

  private best(track: number, level: number, index: number, out: Segment[]): void {
    if (this.sharp(track, level, index, FINER_DEPTH, out)) return;
    const spanNs = tileSpanNs(level);
    for (let up = level + 1; up <= Math.min(TOP_LEVEL, this.highest); up++) {
      const tile = this.get(track, up, Math.floor(index / 2 ** (up - level)));
      if (tile) {
        out.push({ tile, beginNs: index * spanNs, endNs: (index + 1) * spanNs });
        return;
      }
    }
  }

  /** The tile itself, or all of the finer ones it divides into. */
  private sharp(track: number, level: number, index: number, depth: number, out: Segment[]): boolean {
    const tile = this.get(track, level, index);
    if (tile) {
      const spanNs = tileSpanNs(level);
      out.push({ tile, beginNs: index * spanNs, endNs: (index + 1) * spanNs });
      return true;
    }
    if (depth === 0 || level === 0) return false;
    const before = out.length;
    const whole =
      this.sharp(track, level - 1, 2 * index, depth - 1, out) &&
      this.sharp(track, level - 1, 2 * index + 1, depth - 1, out);
    if (!whole) out.length = before;
    return whole;
  }

  /** Drop the least recently used down to three quarters, so that it happens rarely. */
  private evict(): void {
    const oldestFirst = [...this.held].sort(([, a], [, b]) => a.used - b.used);
    for (const [key, held] of oldestFirst) {
      if (this.bytes <= this.maxBytes * 0.75) break;
      this.held.delete(key);
      this.bytes -= held.columns.bytes;
    }
  }
}

function keyOf(track: number, level: number, index: number): string {
  return `${track}/${level}/${index}`;
}
