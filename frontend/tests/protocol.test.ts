import { readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ClientMessageSchema, ServerMessageSchema } from '../src/protocol/messages_pb';
import { decodeTile } from '../src/tiles/decode';

const RUN = '0b5a3c1e-7c1f-4a58-9d3e-52f3f0a1b2c3';

function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../tests/samples/protocol/${name}.bin`, import.meta.url)));
}

function tiles() {
  const message = fromBinary(ServerMessageSchema, golden('tiles'));
  if (message.kind.case !== 'tiles') throw new Error('expected tiles');
  return message.kind.value;
}

describe('the golden messages', () => {
  it('decode to tiles with exact times, negative and up to 2^53', () => {
    const { run, level, index, pane, tiles: list } = tiles();
    expect([run, level, index, pane]).toEqual([RUN, 21, 3, 1]);
    expect(list.map((tile) => tile.track)).toEqual([7, 8]);
    const columns = decodeTile(list[0]);
    expect([...columns.startNs]).toEqual([-250, 1_000_000, Number.MAX_SAFE_INTEGER]);
    expect([...columns.durNs]).toEqual([500, 7_635_012, 0]);
    expect([...columns.name]).toEqual([0, 70_000, 2]);
    expect([...columns.row]).toEqual([0, 1, 4_000_000_000]);
    expect([...columns.count]).toEqual([1, 137, 1]);
    expect([...columns.colour]).toEqual([0, 5, 23]);
    expect([...columns.laneOffsets]).toEqual([0, 2, 2, 3]);
  });

  it('decode to a tile that holds nothing', () => {
    const columns = decodeTile(tiles().tiles[1]);
    expect([columns.n, columns.laneOffsets.length]).toEqual([0, 1]);
  });

  it('decode to a job event', () => {
    const { kind } = fromBinary(ServerMessageSchema, golden('job_event'));
    expect(kind.value).toMatchObject({
      job: RUN,
      number: 12,
      state: 'failed',
      stage: 'reading',
      done: 2n ** 40n,
      total: 2n ** 41n,
      message: 'größer → 漢字',
      run: RUN,
    });
  });

  it('decode to an error', () => {
    const message = fromBinary(ServerMessageSchema, golden('error'));
    expect(message.seq).toBe(3);
    expect(message.kind.value).toMatchObject({ code: 'not_found', message: 'There is nothing here.' });
  });

  it.each(['view', 'tiles_seen', 'watch'])('of a client come out again as the same bytes: %s', (name) => {
    const bytes = golden(name);
    expect([...toBinary(ClientMessageSchema, fromBinary(ClientMessageSchema, bytes))]).toEqual([...bytes]);
  });
});

describe('decodeTile', () => {
  it('refuses a column of another length', () => {
    const [tile] = tiles().tiles;
    expect(() => decodeTile({ ...tile, count: tile.count.slice(1) })).toThrow(
      /holds 11 bytes, expected 3 x 4/,
    );
  });

  it('refuses a time that a number does not hold', () => {
    const [tile] = tiles().tiles;
    const beyond = new Uint8Array(24);
    new DataView(beyond.buffer).setBigInt64(8, 2n ** 53n, true);
    expect(() => decodeTile({ ...tile, startNs: beyond })).toThrow(/beyond 2\^53/);
  });

  it('refuses lanes out of order', () => {
    const [tile] = tiles().tiles;
    expect(() => decodeTile({ ...tile, lane: new Uint8Array([1, 0, 0, 0, 2, 0]) })).toThrow(/sorted by lane/);
  });
});
