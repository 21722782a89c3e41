import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ClientMessageSchema,
  type ServerMessage,
  ServerMessageSchema,
  TilesSchema,
} from '../src/protocol/messages_pb';
import { TileSource } from '../src/tiles/source';
import { Connection } from '../src/transport/connection';
import { type JobProgress, JobWatch } from '../src/transport/jobs';

/** The other end of the line. */
class Line {
  binaryType = '';
  onopen: () => void = () => {};
  onclose: (event: { code: number }) => void = () => {};
  onmessage: (event: { data: ArrayBuffer }) => void = () => {};
  readonly sent: ReturnType<typeof decode>[] = [];

  send(data: Uint8Array): void {
    this.sent.push(decode(data));
  }

  tell(kind: ServerMessage['kind']): void {
    const bytes = toBinary(ServerMessageSchema, create(ServerMessageSchema, { v: 1, kind }));
    this.onmessage({ data: bytes.slice().buffer as ArrayBuffer });
  }

  kinds(): unknown[] {
    return this.sent.map(({ kind }) => kind.case);
  }
}

function decode(data: Uint8Array) {
  return fromBinary(ClientMessageSchema, data);
}

let lines: Line[] = [];
const line = () => lines[lines.length - 1];

function makeConnection(): Connection {
  return new Connection('ws://test/ws/', () => {
    lines.push(new Line());
    return line() as unknown as WebSocket;
  });
}

function tilesOf(run: string, pane: number, aligned = false) {
  return { case: 'tiles' as const, value: create(TilesSchema, { run, pane, level: 1, index: 2, aligned }) };
}

beforeEach(() => {
  lines = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('the connection', () => {
  it('numbers messages, and says when it has taken tiles in', () => {
    const link = makeConnection();
    link.listen(
      () => {},
      () => {},
    );
    line().onopen();
    link.send({ case: 'tilesSeen', value: { count: 1 } });
    line().tell(tilesOf('r', 0));
    expect(line().sent.map(({ v, seq }) => [v, seq])).toEqual([
      [1, 1],
      [1, 2],
    ]);
    expect(line().kinds()).toEqual(['tilesSeen', 'tilesSeen']);
  });

  it('dials again after a loss and tells its listeners, who say again what they want', async () => {
    const link = makeConnection();
    const opened = vi.fn();
    link.listen(opened, () => {});
    line().onopen();
    line().onclose({ code: 1006 });
    expect(link.status.value).toBe('lost');
    await vi.advanceTimersByTimeAsync(300);
    expect(lines.length).toBe(2);
    line().onopen();
    expect(link.status.value).toBe('open');
    expect(opened).toHaveBeenCalledTimes(2);
  });

  it('gives websockets up for HTTP after three failures, and takes them up again', async () => {
    const link = makeConnection();
    link.listen(
      () => {},
      () => {},
    );
    for (let failure = 0; failure < 3; failure++) {
      expect(link.status.value).toBe('connecting');
      line().onclose({ code: 1006 });
      await vi.advanceTimersByTimeAsync(2000);
    }
    expect(link.status.value).toBe('http');
    line().onopen();
    expect(link.status.value).toBe('open');
  });

  it('stops when the user is logged out', async () => {
    const link = makeConnection();
    link.listen(
      () => {},
      () => {},
    );
    line().onopen();
    line().onclose({ code: 4401 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(link.status.value).toBe('signed-out');
    expect(lines.length).toBe(1);
  });
});

describe('a tile source', () => {
  const RECORDED = { version: 'v', aligned: false };
  const need = (index: number) => ({ level: 3, index, tracks: [0, 1] });

  it('asks once for what it wants, and anew when the window wants more', async () => {
    const link = makeConnection();
    const source = new TileSource(link, 1, 'r', RECORDED, () => {});
    line().onopen();
    source.want([need(0), need(1)]);
    await vi.advanceTimersByTimeAsync(100);
    source.want([need(1)]); // the first arrived; the rest is on its way
    await vi.advanceTimersByTimeAsync(100);
    source.want([need(1), need(2)]);
    await vi.advanceTimersByTimeAsync(100);
    const views = line().sent.flatMap(({ kind }) => (kind.case === 'view' ? [kind.value] : []));
    expect(views.slice(1).map((view) => view.needs.map(({ index }) => index))).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(views[1]).toMatchObject({ pane: 1, run: 'r' });
  });

  it('lets the newest of many quick wishes win', async () => {
    const link = makeConnection();
    const source = new TileSource(link, 0, 'r', RECORDED, () => {});
    line().onopen();
    for (let index = 0; index < 20; index++) source.want([need(index)]);
    await vi.advanceTimersByTimeAsync(1000);
    const views = line().sent.flatMap(({ kind }) => (kind.case === 'view' ? [kind.value] : []));
    expect(views.length).toBeLessThanOrEqual(3);
    expect(views[views.length - 1].needs[0].index).toBe(19);
  });

  it('takes only tiles of its pane and run', () => {
    const link = makeConnection();
    const take = vi.fn();
    new TileSource(link, 1, 'r', RECORDED, take);
    line().onopen();
    for (const [run, pane] of [
      ['r', 0],
      ['other', 1],
      ['r', 1],
    ] as const)
      line().tell(tilesOf(run, pane));
    expect(take).toHaveBeenCalledTimes(1);
  });

  it('asks for aligned tiles where clocks are aligned, and takes no others', async () => {
    const link = makeConnection();
    const take = vi.fn();
    const get = vi.fn((_: string) => new Promise<Uint8Array>(() => {}));
    const source = new TileSource(link, 0, 'r', { version: 'v8', aligned: true }, take, get);
    line().onopen();
    source.want([need(0)]);
    await vi.advanceTimersByTimeAsync(100);
    const views = line().sent.flatMap(({ kind }) => (kind.case === 'view' ? [kind.value] : []));
    expect(views.every(({ aligned }) => aligned)).toBe(true);
    line().tell(tilesOf('r', 0));
    expect(take).not.toHaveBeenCalled();
    line().tell(tilesOf('r', 0, true));
    expect(take).toHaveBeenCalledTimes(1);
    link.status.value = 'lost';
    expect(get.mock.calls).toEqual([['runs/r/tiles/3/0/?v=v8&clock=aligned&tracks=0,1']]);
  });

  it('gets tiles by HTTP where websockets are blocked, two at a time', async () => {
    const link = makeConnection();
    const answers: ((bytes: Uint8Array) => void)[] = [];
    const get = vi.fn((_: string) => new Promise<Uint8Array>((resolve) => answers.push(resolve)));
    const take = vi.fn();
    const source = new TileSource(link, 0, 'r', { version: 'v7', aligned: false }, take, get);
    source.want([need(0), need(1), need(2)]);
    expect(get).not.toHaveBeenCalled();
    link.status.value = 'http';
    expect(get.mock.calls.map(([path]) => path)).toEqual([
      'runs/r/tiles/3/0/?v=v7&tracks=0,1',
      'runs/r/tiles/3/1/?v=v7&tracks=0,1',
    ]);
    answers[0](toBinary(TilesSchema, create(TilesSchema, { run: 'r', level: 3, index: 0 })));
    await vi.advanceTimersByTimeAsync(1);
    expect(take).toHaveBeenCalledTimes(1);
    source.want([need(1), need(2)]);
    expect(get).toHaveBeenCalledTimes(3);
  });

  it('tries by HTTP again after a failure', async () => {
    const link = makeConnection();
    const get = vi.fn(async (_: string): Promise<Uint8Array> => Promise.reject(new Error('away')));
    const source = new TileSource(link, 0, 'r', { version: 'v7', aligned: false }, () => {}, get);
    link.status.value = 'http';
    source.want([need(0)]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(get).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1500);
    expect(get).toHaveBeenCalledTimes(2);
    source.close();
    await vi.advanceTimersByTimeAsync(9000);
    expect(get).toHaveBeenCalledTimes(2);
  });
});

describe('a job that is watched', () => {
  const event = (number: number, state = 'running') => ({
    case: 'jobEvent' as const,
    value: {
      $typeName: 'traceviewer.v1.JobEvent' as const,
      job: 'j',
      number,
      state,
      stage: 'reading',
      done: 5n,
      total: 9n,
      message: '',
      run: 'r',
    },
  });
  const plain = (number: number, state: JobProgress['state'] = 'running'): JobProgress => ({
    job: 'j',
    number,
    state,
    stage: 'reading',
    done: 5,
    total: 9,
    message: '',
    run: 'r',
  });

  it('tells each event once and in order, and resumes after the last one', async () => {
    const link = makeConnection();
    const seen: number[] = [];
    new JobWatch(
      'j',
      4,
      (progress) => seen.push(progress.number),
      link,
      async () => [],
    );
    line().onopen();
    for (const number of [5, 6, 6, 5, 7]) line().tell(event(number));
    line().onclose({ code: 1006 });
    await vi.advanceTimersByTimeAsync(300);
    line().onopen();
    const cursors = lines.map(({ sent }) => {
      const { kind } = sent[0];
      return kind.case === 'watch' ? kind.value.jobs[0] : null;
    });
    expect(cursors).toMatchObject([
      { job: 'j', after: 4 },
      { job: 'j', after: 7 },
    ]);
    line().tell(event(7));
    line().tell(event(8));
    expect(seen).toEqual([5, 6, 7, 8]);
  });

  it('ends with the job', () => {
    const link = makeConnection();
    const seen: string[] = [];
    new JobWatch(
      'j',
      0,
      (progress) => seen.push(progress.state),
      link,
      async () => [],
    );
    line().onopen();
    line().tell(event(1, 'succeeded'));
    line().tell(event(2));
    expect(seen).toEqual(['succeeded']);
  });

  it('polls while there is no websocket', async () => {
    const link = makeConnection();
    const seen: number[] = [];
    const poll = vi.fn(async (path: string) =>
      [plain(1), plain(2)].filter(({ number }) => number > Number(path.split('=')[1])),
    );
    const watch = new JobWatch('j', 0, (progress) => seen.push(progress.number), link, poll);
    await vi.advanceTimersByTimeAsync(2500);
    expect(seen).toEqual([1, 2]);
    expect(poll.mock.calls.map(([path]) => path)).toEqual([
      'jobs/j/events/?after=0',
      'jobs/j/events/?after=2',
    ]);
    watch.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(poll).toHaveBeenCalledTimes(2);
  });
});
