// Uploads that a closed or reloaded page left behind. A page may not open a file by itself again: the user chooses the
// same files, and they go on from where they were.

import { defaultOptions, type PreviousUpload, Upload } from 'tus-js-client';
import { isHeld } from './hold';
import { endpointOf } from './resumable';

export interface Unfinished {
  readonly batch: string;
  readonly name: string;
  readonly arrivedBytes: number;
  readonly totalBytes: number;
  readonly uploads: readonly PreviousUpload[];
}

const TUS = { 'Tus-Resumable': '1.0.0' };

/** What is left of this project in this browser, the newest first; what the server has dropped is forgotten. */
export async function findUnfinished(slug: string): Promise<Unfinished[]> {
  const prefix = `${endpointOf(slug)}::`;
  const all = await defaultOptions.urlStorage.findAllUploads();
  const ours = all.filter(({ urlStorageKey }) => urlStorageKey.includes(prefix));
  const batches = new Map<string, { upload: PreviousUpload; arrivedBytes: number }[]>();
  for (const upload of ours) {
    const arrivedBytes = await arrived(upload);
    if (arrivedBytes === null) continue;
    const { batch = '' } = upload.metadata;
    batches.set(batch, [...(batches.get(batch) ?? []), { upload, arrivedBytes }]);
  }
  return [...batches.entries()]
    .map(([batch, parts]) => ({
      batch,
      name: parts[0].upload.metadata.run ?? '',
      arrivedBytes: parts.reduce((sum, part) => sum + part.arrivedBytes, 0),
      totalBytes: parts.reduce((sum, part) => sum + (part.upload.size ?? 0), 0),
      uploads: parts.map((part) => part.upload),
    }))
    .sort((a, b) => b.batch.localeCompare(a.batch));
}

/** How much of it the server has; null if it is being sent right now, or is no more. */
async function arrived({ uploadUrl, urlStorageKey }: PreviousUpload): Promise<number | null> {
  if (!uploadUrl || (await isHeld(uploadUrl))) return null;
  try {
    const response = await fetch(uploadUrl, { method: 'HEAD', headers: TUS });
    if (response.ok) return Number(response.headers.get('Upload-Offset'));
    if (response.status === 404 || response.status === 410) forget(urlStorageKey);
  } catch {
    // Not reachable now: it is looked for when the page is opened next.
  }
  return null;
}

/** Delete what has arrived of it, here and on the server. */
export async function discard({ uploads }: Unfinished, csrf: string): Promise<void> {
  for (const { uploadUrl, urlStorageKey } of uploads) {
    forget(urlStorageKey);
    // What cannot be deleted now expires on the server.
    if (uploadUrl) await Upload.terminate(uploadUrl, { headers: { 'X-CSRFToken': csrf } }).catch(() => {});
  }
}

function forget(urlStorageKey: string): void {
  void defaultOptions.urlStorage.removeUpload(urlStorageKey);
}
