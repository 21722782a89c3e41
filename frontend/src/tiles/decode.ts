// From the wire's packed columns to typed arrays, checked.

import type { Tile } from '../protocol/messages_pb';

/** One track's rectangles at one level and index; lane l is rows laneOffsets[l] .. laneOffsets[l + 1], by start. */
export interface TileColumns {
  readonly n: number;
  readonly startNs: Float64Array; // exact integers
  readonly durNs: Float64Array; // exact integers
  readonly name: Uint32Array;
  readonly row: Uint32Array;
  readonly count: Uint32Array;
  readonly colour: Uint8Array;
  readonly laneOffsets: Uint32Array;
  readonly bytes: number;
}

const LIMIT_HIGH = 2 ** 21; // of the upper word: |value| < 2^53

/** Decode a tile. Throws RangeError when a column's length or a time is out of contract. */
export function decodeTile(tile: Tile): TileColumns {
  const n = tile.n;
  const lane = aligned(tile.lane, n, 2, Uint16Array);
  return {
    n,
    startNs: exactNumbers(tile.startNs, n),
    durNs: exactNumbers(tile.durNs, n),
    name: aligned(tile.name, n, 4, Uint32Array),
    row: aligned(tile.row, n, 4, Uint32Array),
    count: aligned(tile.count, n, 4, Uint32Array),
    colour: aligned(tile.colour, n, 1, Uint8Array),
    laneOffsets: offsetsOf(lane),
    bytes: n * 29 + 200,
  };
}

/** Copy: protobuf-es returns views at any offset, and typed arrays want theirs aligned. */
function aligned<T>(bytes: Uint8Array, n: number, width: number, make: new (buffer: ArrayBuffer) => T): T {
  if (bytes.byteLength !== n * width) {
    throw new RangeError(`A column holds ${bytes.byteLength} bytes, expected ${n} x ${width}.`);
  }
  return new make(bytes.slice().buffer as ArrayBuffer);
}

/** i64 little-endian to Numbers without BigInts: high * 2^32 + low is exact below 2^53. */
function exactNumbers(bytes: Uint8Array, n: number): Float64Array {
  const words = aligned(bytes, n, 8, Uint32Array);
  const numbers = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const high = words[2 * i + 1] | 0;
    if (high >= LIMIT_HIGH || high < -LIMIT_HIGH) throw new RangeError('A time is beyond 2^53 ns.');
    numbers[i] = high * 4294967296 + words[2 * i];
  }
  return numbers;
}

function offsetsOf(lane: Uint16Array): Uint32Array {
  const lanes = lane.length ? lane[lane.length - 1] + 1 : 0;
  const offsets = new Uint32Array(lanes + 1);
  for (let i = 0; i < lane.length; i++) {
    if (i && lane[i] < lane[i - 1]) throw new RangeError('A tile is not sorted by lane.');
    offsets[lane[i] + 1] = i + 1;
  }
  for (let l = 1; l <= lanes; l++) if (offsets[l] === 0) offsets[l] = offsets[l - 1];
  return offsets;
}
