// The part of tus 1.0 that an upload needs, over real HTTP, with a plug to pull.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Stored {
  length: number;
  bytes: Buffer;
  metadata: string;
}

export class TusServer {
  readonly uploads = new Map<string, Stored>();
  readonly requests: string[] = [];
  /** Answers before the server looks at a request: a status to refuse it with, or 0 to cut the line. */
  refuse: ((method: string, offset: number) => number | null) | null = null;
  private readonly http = createServer((request, response) => void this.answer(request, response));
  private last = 0;

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(() => resolve()));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    const offset = Number(request.headers['upload-offset'] ?? 0);
    this.requests.push(`${method} ${request.headers['upload-offset'] ?? ''}`.trim());
    const refused = this.refuse?.(method, offset) ?? null;
    if (refused === 0) {
      request.destroy();
      return;
    }
    const body = await bodyOf(request).catch(() => null);
    if (!body) return; // cut off: of a part that has not come whole nothing is kept
    const [status, headers] = refused ? [refused, {}] : this.act(request, offset, body);
    response.writeHead(status, { 'Tus-Resumable': '1.0.0', ...headers });
    response.end(refused ? JSON.stringify({ detail: `Refused with ${refused}.`, code: 'no' }) : '');
  }

  private act(request: IncomingMessage, offset: number, body: Buffer): [number, Record<string, string>] {
    if (request.method === 'POST') return this.create(request);
    const id = request.url?.split('/').filter(Boolean).at(-1) ?? '';
    const upload = this.uploads.get(id);
    if (!upload) return [404, {}];
    if (request.method === 'DELETE') this.uploads.delete(id);
    if (request.method === 'PATCH') {
      if (offset !== upload.bytes.length) return [409, {}];
      upload.bytes = Buffer.concat([upload.bytes, body]);
    }
    const head = { 'Upload-Offset': String(upload.bytes.length), 'Upload-Length': String(upload.length) };
    return [request.method === 'HEAD' ? 200 : 204, head];
  }

  private create(request: IncomingMessage): [number, Record<string, string>] {
    const id = `u${++this.last}`;
    const metadata = String(request.headers['upload-metadata']);
    this.uploads.set(id, {
      length: Number(request.headers['upload-length']),
      bytes: Buffer.alloc(0),
      metadata,
    });
    return [201, { Location: `/api/v1/uploads/${id}/` }];
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
