// One file on its way by tus 1.0: in parts, and on from where it was after a lost connection, a restart of the server
// or a reload of the page.

import { defaultOptions, type HttpResponse, Upload, type UploadOptions } from 'tus-js-client';
import { ApiError, refusal } from '../transport/api';
import type { TraceFile } from './files';
import { hold } from './hold';

export interface Destination {
  readonly slug: string;
  readonly csrf: string;
  /** The run to be and the mark of what was dropped with it: how an interrupted upload is shown after a reload. */
  readonly run: string;
  readonly batch: string;
}

export interface FileEvents {
  progress: (sentBytes: number) => void;
  /** The server does not answer; it is tried again by itself. */
  waiting: () => void;
}

export const PART_BYTES = 8 * 2 ** 20; // the server keeps one part in a temporary file while it comes in
const RETRY_MS = [250, 500, 1000, 2000, 4000, ...Array<number>(60).fill(10_000)]; // ten minutes, anew after progress
const TRIED_AGAIN = new Set([0, 409, 423, 425, 429, 500, 502, 503, 504]); // 0: no answer
const GONE = new Set([404, 410]);

export function endpointOf(slug: string): string {
  return new URL(`/api/v1/projects/${slug}/uploads/`, location.href).href;
}

export class ResumableFile {
  private readonly upload: Upload;
  private release: (() => void) | null = null;
  private heldUrl: string | null = null;
  private settle: { resolve: (id: string) => void; reject: (error: ApiError) => void } | null = null;
  private answer: HttpResponse | null = null; // to the last request

  constructor(
    readonly trace: TraceFile,
    to: Destination,
    events: FileEvents,
  ) {
    this.upload = new Upload(trace.file, { ...this.options(to, events), ...fixed(trace) });
  }

  /** Send what is lacking; the upload's id once all has arrived. Rejects with ApiError. */
  send(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.upload.start();
    });
  }

  /** Stop sending; send() goes on. */
  pause(): void {
    void this.upload.abort();
    this.settle?.reject(new ApiError(0, 'paused', 'Paused.'));
  }

  /** Stop, and delete what has arrived. */
  cancel(): void {
    void this.upload.abort(true).catch(() => {}); // what cannot be deleted now expires on the server
    this.settle?.reject(new ApiError(0, 'cancelled', 'Upload cancelled.'));
    this.letGo();
  }

  /** The run is made: nothing is left to go on with. */
  async forget(): Promise<void> {
    for (const known of await this.upload.findPreviousUploads()) {
      if (known.uploadUrl === this.upload.url)
        await defaultOptions.urlStorage.removeUpload(known.urlStorageKey);
    }
    this.letGo();
  }

  letGo(): void {
    this.release?.();
    this.release = null;
    this.heldUrl = null;
  }

  /** Before sending: to go on with an earlier upload of this file, unless another tab is at it. */
  async takeUp(): Promise<void> {
    if (this.release) return;
    for (const known of await this.upload.findPreviousUploads()) {
      this.release = known.uploadUrl ? await hold(known.uploadUrl) : null;
      if (!this.release) continue;
      this.heldUrl = known.uploadUrl;
      this.upload.resumeFromPreviousUpload(known);
      return;
    }
  }

  private options({ slug, csrf, run, batch }: Destination, events: FileEvents): UploadOptions {
    return {
      endpoint: endpointOf(slug),
      headers: { 'X-CSRFToken': csrf, Accept: 'application/json' },
      metadata: { filename: this.trace.path, run, batch },
      onUploadUrlAvailable: () => void this.takeNew(),
      onProgress: events.progress,
      onBeforeRequest: () => {
        this.answer = null;
      },
      onAfterResponse: (request, response) => this.look(request.getMethod(), response),
      onShouldRetry: () => {
        const again = TRIED_AGAIN.has(this.answer?.getStatus() ?? 0);
        if (again) events.waiting();
        return again;
      },
      onSuccess: () => this.settle?.resolve(idOf(this.upload.url ?? '')),
      onError: () => this.settle?.reject(this.refused()),
    };
  }

  /** A proxy's 502 or an old login is no reason to begin again, as the library would unless this throws. */
  private look(method: string, response: HttpResponse): void {
    this.answer = response;
    const status = response.getStatus();
    const isKnown = status < 300 || status === 423 || GONE.has(status);
    if (method === 'HEAD' && !isKnown) throw new Error(`HEAD answered ${status}`);
  }

  private refused(): ApiError {
    if (this.answer && this.answer.getStatus() >= 400) {
      return refusal(this.answer.getStatus(), this.answer.getBody());
    }
    return new ApiError(0, 'unreachable', 'The upload broke off: the server could not be reached.');
  }

  private async takeNew(): Promise<void> {
    const { url } = this.upload;
    if (!url || url === this.heldUrl) return;
    this.letGo(); // of one that the server has forgotten
    this.heldUrl = url;
    this.release = await hold(url);
  }
}

function fixed({ path, file }: TraceFile): UploadOptions {
  return {
    chunkSize: PART_BYTES,
    retryDelays: RETRY_MS,
    // The path too: `rank0/trace.json` and `rank1/trace.json` may be alike in everything else.
    fingerprint: async (_, { endpoint }) =>
      ['traceviewer', path, file.size, file.lastModified, endpoint].join(' '),
  };
}

function idOf(url: string): string {
  return url.split('/').filter(Boolean).at(-1) ?? '';
}
