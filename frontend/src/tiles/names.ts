// A run's names by code, fetched in batches as tiles bring unknown codes; as they may be shown.

import { getJson } from '../transport/api';
import { visible } from '../ui/text';

const BATCH = 500; // codes in one address: some 3 kB
const GATHER_MS = 15;
const RETRY_MS = 2000;

type GetNames = (path: string) => Promise<{ names: Record<string, string> }>;

export class Names {
  private readonly known = new Map<number, string>();
  private readonly pending = new Set<number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly run: string,
    private readonly arrived: () => void,
    private readonly get: GetNames = getJson,
  ) {}

  of(code: number): string | undefined {
    return this.known.get(code);
  }

  /** Make sure these codes are or will be known. */
  want(codes: Uint32Array): void {
    for (const code of codes) if (!this.known.has(code)) this.pending.add(code);
    if (this.pending.size && this.timer === undefined) this.timer = setTimeout(this.fetch, GATHER_MS);
  }

  private readonly fetch = async (): Promise<void> => {
    const batch = [...this.pending].slice(0, BATCH);
    let waitMs = 0;
    try {
      const { names } = await this.get(`runs/${this.run}/names/?codes=${batch}`);
      for (const code of batch) this.known.set(code, visible(names[code] ?? ''));
      for (const code of batch) this.pending.delete(code);
      this.arrived();
    } catch {
      waitMs = RETRY_MS;
    }
    this.timer = this.pending.size ? setTimeout(this.fetch, waitMs) : undefined;
  };
}
