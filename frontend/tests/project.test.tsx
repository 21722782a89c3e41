// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RunsTable } from '../src/project/RunsTable';
import { RunList } from '../src/project/runs';
import { addRanks, change, remove } from '../src/run/desk';
import { type Run, refusal } from '../src/transport/api';
import type { JobProgress } from '../src/transport/jobs';
import { droppedFiles, runName } from '../src/uploads/files';
import { aJob, aRun } from './examples';

let root: HTMLElement;
let callbacks: Map<string, (event: JobProgress) => void>;
let stopped: string[];

beforeEach(() => {
  root = document.createElement('div');
  document.body.append(root);
  callbacks = new Map();
  stopped = [];
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

/** A list whose jobs the test itself reports on. */
function aList(runs: Run[]): RunList {
  return new RunList({ slug: 'demo', csrf: 't', runs }, (id, _after, callback) => {
    callbacks.set(id, callback);
    return () => stopped.push(id);
  });
}

const show = (list: RunList, canEdit = true) =>
  act(() => render(<RunsTable list={list} canEdit={canEdit} />, root));

const told = (change: Partial<JobProgress>): JobProgress => ({
  job: 'j1',
  number: 2,
  state: 'running',
  stage: 'reading',
  done: 0,
  total: 0,
  message: '',
  run: 'r1',
  ...change,
});

const answer = (status: number, body: unknown) => {
  const fetched = vi.fn(async () => new Response(status === 204 ? null : JSON.stringify(body), { status }));
  vi.stubGlobal('fetch', fetched);
  return fetched;
};

test.each([
  [['rank0.json.gz'], 'rank0'],
  [['gpt3_h100.pt.trace.json'], 'gpt3_h100'],
  [['job_rank0.json', 'job_rank1.json', 'job_rank10.json'], 'job'],
  [['nccl-data.0.json.gz', 'nccl-data.1.json.gz'], 'nccl-data'],
  [['0.json', '1.json'], '2 ranks'],
  [['job-7/rank0/trace.json.zst', 'job-7/rank1/trace.json.zst'], 'trace'],
  [['job-7/0.et', 'job-7/1.et'], 'job-7'],
  [['dlrm_kineto.tar.gz'], 'dlrm_kineto'],
  [['ranks.zip'], 'ranks'],
  [['.json'], 'trace'],
])('it calls the run of %j %s', (names, name) => {
  expect(runName(names)).toBe(name);
});

test('it takes the traces of a dropped folder with their paths, and every file dropped itself', async () => {
  const file = (fullPath: string) => ({
    isFile: true,
    fullPath,
    file: (done: (f: File) => void) => done(new File(['{}'], fullPath.split('/').at(-1)!)),
  });
  const folder = (children: unknown[]) => {
    const batches = [children, []];
    return {
      isFile: false,
      createReader: () => ({ readEntries: (done: (entries: unknown[]) => void) => done(batches.shift()!) }),
    };
  };
  const inner = folder([file('/job/rank1/trace.json.zst'), file('/job/rank1/notes.txt')]);
  const outer = folder([file('/job/rank0.json.gz'), inner]);
  const items = [outer, file('/odd.bin')].map((entry) => ({ webkitGetAsEntry: () => entry }));
  const files = await droppedFiles({ items, files: [] } as unknown as DataTransfer);
  expect(files.map((one) => one.path)).toEqual(['job/rank0.json.gz', 'job/rank1/trace.json.zst', 'odd.bin']);
});

test.each([
  [422, '{"detail": "More than 64 files.", "code": "too_many_files"}', 'More than 64 files.'],
  [413, '<html>proxy</html>', 'The files are larger than the server takes.'],
  [502, '', 'The server answered 502.'],
])('it says why an upload was refused: %i', (status, body, message) => {
  expect(refusal(status, body).message).toBe(message);
});

test('it follows a run that is being read when the page opens, until it is ready', async () => {
  answer(200, aRun({ name: 'step-12' }));
  const list = aList([aRun({ state: 'reading', median_step_ns: null, job: aJob() })]);
  await show(list);
  expect(root.textContent).toContain('waiting for a worker');
  await act(() => callbacks.get('j1')?.(told({ done: 42, total: 100 })));
  expect(root.textContent).toContain('reading 42 %');
  await act(() => callbacks.get('j1')?.(told({ number: 3, state: 'succeeded' })));
  await vi.waitFor(() => expect(root.textContent).toContain('220 ms'));
  expect(root.querySelector('.run-name a')?.getAttribute('href')).toBe('/p/demo/runs/r1/');
  expect(list.news.value).toBe('step-12: ready');
});

test('it says why a run failed', async () => {
  answer(
    200,
    aRun({ state: 'failed', error: 'rank0.json: byte 4,096: the file ends early. Record it again.' }),
  );
  const list = aList([aRun({ state: 'reading', job: aJob() })]);
  await show(list);
  await act(() => callbacks.get('j1')?.(told({ state: 'failed' })));
  await vi.waitFor(() => expect(root.querySelector('tr.reason')?.textContent).toContain('Record it again.'));
  expect(root.querySelector('.run-name a')).toBeNull();
});

test('it tells a cancelled run from a failed one', async () => {
  const job = aJob({ state: 'cancelled' });
  await show(aList([aRun({ state: 'failed', error: 'Cancelled.', job })]));
  expect(root.querySelector('.badge')?.textContent).toBe('cancelled');
  expect(root.querySelector('.error')).toBeNull();
});

test('it drops a run that is gone after it was cancelled', async () => {
  answer(404, { detail: 'There is nothing here.', code: 'not_found' });
  const list = aList([aRun({ state: 'reading', job: aJob() })]);
  await act(() => callbacks.get('j1')?.(told({ state: 'cancelled' })));
  await vi.waitFor(() => expect(list.runs.value).toEqual([]));
});

/** The item of the first row's menu that says this. */
const item = (text: string) =>
  [...root.querySelectorAll<HTMLButtonElement>('.menu-item')].find((one) =>
    one.textContent?.startsWith(text),
  )!;

test('it deletes only after a second word, and the predictions of the run with it', async () => {
  const fetched = answer(204, null);
  const list = aList([aRun(), aRun({ id: 'p1', kind: 'predicted', measured_run: 'r1' })]);
  await show(list);
  await act(async () => item('Delete').click());
  expect(fetched).not.toHaveBeenCalled();
  await act(async () => item('Really delete').click());
  await vi.waitFor(() => expect(list.runs.value).toEqual([]));
  expect(fetched).toHaveBeenCalledWith('/api/v1/runs/r1/', expect.objectContaining({ method: 'DELETE' }));
});

const press = (element: Element, key: string) =>
  act(async () => void element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));

test('it renames a run where its name stands', async () => {
  const fetched = answer(200, aRun({ name: 'baseline' }));
  await show(aList([aRun()]));
  await act(async () => item('Rename').click());
  const field = root.querySelector<HTMLInputElement>('.name-field')!;
  field.value = ' baseline ';
  await press(field, 'Enter');
  expect(fetched).toHaveBeenCalledWith(
    '/api/v1/runs/r1/',
    expect.objectContaining({ method: 'PATCH', body: '{"name":"baseline"}' }),
  );
  await vi.waitFor(() => expect(root.querySelector('.run-name a')?.textContent).toBe('baseline'));
});

test('it leaves the name as it is on Escape', async () => {
  const fetched = answer(200, aRun());
  await show(aList([aRun()]));
  await act(async () => item('Rename').click());
  const field = root.querySelector<HTMLInputElement>('.name-field')!;
  field.value = 'other';
  await press(field, 'Escape');
  expect(fetched).not.toHaveBeenCalled();
  expect(root.querySelector('.name-field')).toBeNull();
});

test('it adds a tag and takes one away, and leads to the runs that have it', async () => {
  const fetched = answer(200, aRun({ tags: ['h100', 'slow & odd'] }));
  await show(aList([aRun({ tags: ['h100'] })]));
  await act(async () => item('Tags').click());
  const field = root.querySelector<HTMLInputElement>('.tag-field')!;
  field.value = 'slow & odd';
  await press(field, 'Enter');
  const body = () => (fetched.mock.lastCall as unknown as [string, RequestInit])[1].body;
  expect(body()).toBe('{"tags":["h100","slow & odd"]}');
  await vi.waitFor(() => expect(root.querySelectorAll('.tag')).toHaveLength(2));
  await act(async () => root.querySelector<HTMLButtonElement>('[aria-label="Remove tag h100"]')!.click());
  expect(body()).toBe('{"tags":["slow & odd"]}');
  await press(root.querySelector('.tag-field')!, 'Escape');
  const links = [...root.querySelectorAll('a.tag')].map((link) => link.getAttribute('href'));
  expect(links).toContain('/p/demo/?tag=slow%20%26%20odd');
});

test('it follows a run that is read again', async () => {
  answer(202, aRun({ job: aJob() })); // it stays ready meanwhile
  const originals = [{ index: 0, rank: 0, file_name: 'rank0.json', size_bytes: 7, url: '/x', members: [] }];
  await show(aList([aRun({ originals })]));
  await act(async () => item('Read again').click());
  await vi.waitFor(() => expect(root.textContent).toContain('waiting for a worker'));
  expect(root.querySelector('.run-name a')).not.toBeNull();
  answer(200, aRun({ error: 'rank0.json: byte 7: no JSON', job: aJob({ state: 'failed' }) }));
  await act(() => callbacks.get('j1')?.(told({ state: 'failed' })));
  await vi.waitFor(() => expect(root.querySelector('tr.reason')?.textContent).toContain('stays as it was'));
});

test('it reads a failed run again whose files are kept, and offers nothing where they are not', async () => {
  const original = { index: 0, rank: null, file_name: 'rank0.json', size_bytes: 7, url: '/x', members: [] };
  const failed = aRun({
    state: 'failed',
    error: 'rank0.json: byte 7: no JSON',
    job: aJob({ state: 'failed' }),
  });
  await show(aList([{ ...failed, originals: [{ ...original, url: null }] }]));
  expect(root.querySelector('tr.reason button')).toBeNull();
  const fetched = answer(202, aRun({ state: 'reading', job: aJob() }));
  await show(aList([{ ...failed, originals: [original] }]));
  await act(async () => root.querySelector<HTMLButtonElement>('tr.reason button')!.click());
  await vi.waitFor(() => expect(root.textContent).toContain('waiting for a worker'));
  const [address, { method }] = fetched.mock.lastCall as unknown as [string, RequestInit];
  expect([method, address]).toEqual(['POST', '/api/v1/runs/r1/reread/']);
});

test('it names the ranks in an archive, each to be replaced, and sends which', async () => {
  const members = [0, 1].map((rank) => ({ rank, name: `job.zip/rank${rank}.json` }));
  const run = aRun({
    originals: [{ index: 0, rank: null, file_name: 'job.zip', size_bytes: 7, url: '/x', members }],
  });
  await show(aList([run]));
  await act(async () => item('Files and ranks…').click());
  const lines = [...root.querySelectorAll('.files tbody tr')].map((line) => line.textContent);
  expect(lines).toEqual(['–job.zip7 BDownloadReplace…', '0rank0.jsonReplace…', '1rank1.jsonReplace…']);
  const fetched = answer(202, run);
  await addRanks(run, '', ['u1'], { replace: 1 });
  await addRanks(run, '', ['u1'], { instead_of: 0 });
  const bodies = fetched.mock.calls.map((call) => (call as unknown as [string, RequestInit])[1].body);
  expect(bodies).toEqual(['{"uploads":["u1"],"replace":1}', '{"uploads":["u1"],"instead_of":0}']);
});

test('it lets a run go that was moved to another project', async () => {
  answer(200, aRun({ project: 'other' }));
  const list = aList([aRun()]);
  await change(list, aRun(), { project: 'other' });
  expect(list.runs.value).toEqual([]);
});

test('it says why what was computed is stale', async () => {
  const stale_reason = 'rank 3 was replaced on 23 Nov';
  await show(aList([aRun({ kind: 'predicted', measured_run: 'r0', stale: true, stale_reason })]));
  expect(root.querySelector('.badge.warning')?.getAttribute('title')).toBe(stale_reason);
});

test('it keeps a run that the server will not delete, and says why', async () => {
  answer(403, { detail: 'You may look at this project, not change it.', code: 'permission_denied' });
  const list = aList([aRun()]);
  await remove(list, list.runs.value[0]!);
  expect(list.runs.value).toHaveLength(1);
  expect(list.problem.value).toBe('You may look at this project, not change it.');
});

test('it offers a viewer to take a run out, and no change', async () => {
  await show(aList([aRun()]), false);
  expect([...root.querySelectorAll('.menu-item')].map((one) => one.textContent)).toEqual([
    'Export, open in Perfetto…',
  ]);
});

test('it shows what hides in a name and cuts one of 4,000 characters', async () => {
  await show(aList([aRun({ name: 'safe\u202ename' }), aRun({ id: 'r2', name: 'n'.repeat(4000) })]));
  const names = [...root.querySelectorAll('.run-name a')].map((link) => link.textContent);
  expect(names[0]).toBe('safe<U+202E>name');
  expect(names[1]).toHaveLength(200);
});

test('it leads from a prediction to its comparison', async () => {
  const replay = {
    measured_ns: 1,
    predicted_ns: 1,
    error_percent: 0.21,
    steps: [],
    unexplained_percent: 0,
    gap_percent: 0,
  };
  await show(aList([aRun({ id: 'p1', kind: 'predicted', measured_run: 'r1', replay })]));
  const badge = root.querySelector('a.badge');
  expect(badge?.getAttribute('href')).toBe('/p/demo/compare/r1/p1/');
  expect(badge?.textContent).toBe('predicted +0.21 %');
});
