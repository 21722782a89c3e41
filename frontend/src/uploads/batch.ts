// The files of one run on their way, a few at a time.

import { ApiError } from '../transport/api';
import type { TraceFile } from './files';
import { type Destination, ResumableFile } from './resumable';

export interface BatchProgress {
  readonly sentBytes: number;
  readonly isWaiting: boolean; // for a server that does not answer
}

const AT_ONCE = 3;
const ASK_AGAIN_MS = [500, 1000, 2000, ...Array<number>(60).fill(10_000)];

export class Batch {
  private readonly parts: ResumableFile[];
  private readonly sent: number[];
  private isStopped = false;

  constructor(
    readonly files: readonly TraceFile[],
    to: Omit<Destination, 'batch'>,
    private readonly onProgress: (progress: BatchProgress) => void,
  ) {
    this.sent = files.map(() => 0);
    const batch = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    this.parts = files.map(
      (file, index) =>
        new ResumableFile(
          file,
          { ...to, batch },
          {
            progress: (bytes) => this.progress(index, bytes),
            waiting: () => this.tell(true),
          },
        ),
    );
  }

  get totalBytes(): number {
    return this.files.reduce((sum, { file }) => sum + file.size, 0);
  }

  /** Take up what an earlier page has left of these files. */
  async takeUp(): Promise<void> {
    for (const part of this.parts) await part.takeUp();
  }

  /** Send what has not arrived; the uploads' ids in the order of the files. Rejects with the first ApiError. */
  async send(): Promise<string[]> {
    this.isStopped = false;
    await this.takeUp();
    const ids: string[] = [];
    let next = 0;
    const work = async () => {
      while (next < this.parts.length && !this.isStopped) {
        const index = next++;
        ids[index] = await this.parts[index].send();
        this.progress(index, this.files[index].file.size);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } catch (error) {
      this.stop();
      throw error;
    }
    if (this.isStopped) throw new ApiError(0, 'paused', 'Paused.');
    return ids;
  }

  /** Send, then have `what` made of the uploads. Goes on where it was when called again. Rejects with ApiError. */
  async make<T>(what: (ids: string[]) => Promise<T>): Promise<T> {
    const ids = await this.send();
    const made = await this.asked(() => what(ids));
    await this.forget();
    return made;
  }

  /** Ask until the server is reached. */
  private async asked<T>(what: () => Promise<T>): Promise<T> {
    for (const wait of ASK_AGAIN_MS) {
      try {
        return await what();
      } catch (error) {
        if (error instanceof ApiError) throw error;
        this.tell(true);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    throw new ApiError(0, 'unreachable', 'All files have arrived, but the server cannot be reached.');
  }

  /** Stop sending; send() goes on where it was. */
  stop(): void {
    this.isStopped = true;
    for (const part of this.parts) part.pause();
  }

  /** Stop, and leave what has arrived to whoever is given the same files next. */
  leave(): void {
    this.stop();
    for (const part of this.parts) part.letGo();
  }

  /** Stop, and delete what has arrived. */
  cancel(): void {
    this.isStopped = true;
    for (const part of this.parts) part.cancel();
  }

  private async forget(): Promise<void> {
    for (const part of this.parts) await part.forget();
  }

  private progress(index: number, bytes: number): void {
    this.sent[index] = bytes;
    this.tell(false);
  }

  private tell(isWaiting: boolean): void {
    this.onProgress({ sentBytes: this.sent.reduce((sum, bytes) => sum + bytes, 0), isWaiting });
  }
}
