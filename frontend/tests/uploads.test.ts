// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Batch, type BatchProgress } from '../src/uploads/batch';
import { chosenFiles, type TraceFile } from '../src/uploads/files';
import { PART_BYTES } from '../src/uploads/resumable';
import { discard, findUnfinished } from '../src/uploads/unfinished';
import { TusServer } from './tus_server';

let server: TusServer;
let told: BatchProgress[];
let mayGoOn: () => void;

beforeEach(async () => {
  server = new TusServer();
  const address = await server.listen();
  (window as unknown as { happyDOM: { setURL: (url: string) => void } }).happyDOM.setURL(
    `${address}/p/demo/`,
  );
  localStorage.clear();
  told = [];
});

afterEach(async () => {
  await server.close();
});

function aFile(name: string, size: number, seed = 1): TraceFile {
  const bytes = new Uint8Array(
    Buffer.alloc(size, `${seed} is the seed of this file; its length is a prime, so parts differ.`),
  );
  return { file: new File([bytes], name, { lastModified: 1_700_000_000_000 }), path: name };
}

const aBatch = (files: TraceFile[]) =>
  new Batch(files, { slug: 'demo', csrf: 't', run: 'step-12' }, (progress) => told.push(progress));

const contentOf = async ({ file }: TraceFile) => Buffer.from(await file.arrayBuffer());

/** A batch whose page is left after the first part of its one file has arrived. */
async function leftBehind(file: TraceFile): Promise<void> {
  let patches = 0;
  const stopped = new Promise<void>((resolve) => {
    mayGoOn = resolve;
  });
  server.refuse = (method) => {
    if (method !== 'PATCH' || ++patches === 1) return null;
    mayGoOn();
    return 0;
  };
  const batch = aBatch([file]);
  const sent = batch.send().catch(() => {});
  await stopped;
  batch.leave();
  await sent;
  server.refuse = null;
}

test('it sends several files and names their uploads in the order of the files', async () => {
  const files = [aFile('rank0.json', 70_000), aFile('rank1.json', 10, 2), aFile('rank2.json', 0)];
  const made = await aBatch(files).make(async (ids) => ids);
  expect(made).toHaveLength(3);
  for (const [index, id] of made.entries()) {
    expect(server.uploads.get(id)?.bytes.equals(await contentOf(files[index]))).toBe(true);
  }
  expect(told.at(-1)).toEqual({ sentBytes: 70_010, isWaiting: false });
  expect(localStorage).toHaveLength(0);
});

test('it goes on after a lost connection without sending again what has arrived', async () => {
  const file = aFile('rank0.json', 2 * PART_BYTES + 5);
  let lost = 0;
  server.refuse = (method, offset) => (method === 'PATCH' && offset > 0 && ++lost <= 2 ? 0 : null);
  const [id] = await aBatch([file]).send();
  expect(server.uploads.get(id)?.bytes.equals(await contentOf(file))).toBe(true);
  expect(server.requests.filter((line) => line === 'PATCH 0')).toHaveLength(1);
  expect(told.some(({ isWaiting }) => isWaiting)).toBe(true);
});

test('it waits out a proxy that answers for a server that restarts', async () => {
  const file = aFile('rank0.json', PART_BYTES + 5);
  let refused = 0;
  server.refuse = (method, offset) => {
    if (method === 'POST' || (method === 'PATCH' && offset === 0) || refused >= 3) return null;
    refused += 1;
    return 502;
  };
  const [id] = await aBatch([file]).send();
  expect(server.uploads.size).toBe(1);
  expect(server.uploads.get(id)?.bytes.equals(await contentOf(file))).toBe(true);
});

test('it goes on after a pause', async () => {
  const file = aFile('rank0.json', 3 * PART_BYTES);
  const batch = aBatch([file]);
  server.refuse = (_, offset) => {
    if (offset === PART_BYTES) batch.stop();
    return null;
  };
  await expect(batch.send()).rejects.toMatchObject({ code: 'paused' });
  server.refuse = null;
  const [id] = await batch.send();
  expect(server.uploads.get(id)?.bytes.equals(await contentOf(file))).toBe(true);
});

test('it takes up after a reload what an earlier page left, when the same file is chosen again', async () => {
  const file = aFile('rank0.json', PART_BYTES + 5);
  await leftBehind(file);
  const [left] = await findUnfinished('demo');
  expect(left).toMatchObject({ name: 'step-12', arrivedBytes: PART_BYTES, totalBytes: PART_BYTES + 5 });
  expect(await findUnfinished('other')).toEqual([]);
  server.requests.length = 0;
  const [id] = await aBatch([file]).send();
  expect(server.requests).toEqual(['HEAD', `PATCH ${PART_BYTES}`]);
  expect(server.uploads.get(id)?.bytes.equals(await contentOf(file))).toBe(true);
});

test('it deletes on cancelling what has arrived', async () => {
  const batch = aBatch([aFile('rank0.json', 2 * PART_BYTES)]);
  server.refuse = (_, offset) => {
    if (offset === PART_BYTES) batch.cancel();
    return null;
  };
  await expect(batch.send()).rejects.toMatchObject({ code: 'cancelled' });
  await vi.waitFor(() => expect(server.uploads.size).toBe(0));
  await vi.waitFor(() => expect(localStorage).toHaveLength(0));
});

test('it discards what was left behind, here and on the server', async () => {
  const [one] = [aFile('rank0.json', PART_BYTES + 5)];
  await leftBehind(one);
  const [left] = await findUnfinished('demo');
  await discard(left, 't');
  expect(server.uploads.size).toBe(0);
  expect(await findUnfinished('demo')).toEqual([]);
});

test('it forgets what the server no longer has', async () => {
  await leftBehind(aFile('rank0.json', PART_BYTES + 5));
  server.uploads.clear();
  expect(await findUnfinished('demo')).toEqual([]);
  expect(localStorage).toHaveLength(0);
});

test('it gives a second batch of the same file an upload of its own', async () => {
  const file = aFile('rank0.json', PART_BYTES + 5);
  const [first, second] = [aBatch([file]), aBatch([file])];
  const [[a], [b]] = await Promise.all([first.send(), second.send()]);
  expect(a).not.toBe(b);
  for (const id of [a, b]) expect(server.uploads.get(id)?.bytes.equals(await contentOf(file))).toBe(true);
});

test('it keeps files apart that differ in their folder only', async () => {
  const alike = (folder: string, seed: number) => ({
    ...aFile('trace.json', PART_BYTES + 5, seed),
    path: `${folder}/trace.json`,
  });
  await leftBehind(alike('rank0', 1));
  const other = alike('rank1', 7);
  const [id] = await aBatch([other]).send();
  expect(server.uploads.get(id)?.bytes.equals(await contentOf(other))).toBe(true);
});

test.each([413, 422, 507, 403])(
  'it does not try again what was refused with %i, and says why',
  async (status) => {
    server.refuse = () => status;
    const sent = aBatch([aFile('rank0.json', 5)]).send();
    await expect(sent).rejects.toMatchObject({ status, message: `Refused with ${status}.` });
    expect(server.requests).toHaveLength(1);
  },
);

test('it sends the path of a file in a folder, by which ranks are told apart', async () => {
  const file = new File(['{}'], 'trace.json');
  Object.defineProperty(file, 'webkitRelativePath', { value: 'job/rank7/trace.json' });
  const [id] = await aBatch(chosenFiles([file])).send();
  const [name] = server.uploads.get(id)!.metadata.match(/(?<=filename )\S+?(?=,)/)!;
  expect(Buffer.from(name, 'base64').toString()).toBe('job/rank7/trace.json');
});
