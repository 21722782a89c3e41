// One websocket per page, kept alive. Who listens registers again what it wants whenever the socket opens, so a
// reconnect needs no memory here. Where websockets are blocked the status says 'http' and listeners use the twins.

import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { signal } from '@preact/signals';
import { ClientMessageSchema, type ServerMessage, ServerMessageSchema } from '../protocol/messages_pb';

export type LinkStatus = 'connecting' | 'open' | 'lost' | 'http' | 'signed-out';
type ClientKind = NonNullable<MessageInitShape<typeof ClientMessageSchema>['kind']>;

const PROTOCOL_VERSION = 1;
const FAILURES_BEFORE_HTTP = 3;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
const CLOSED_SIGNED_OUT = 4401;
const CLOSED_TOO_MANY = 4429;

export class Connection {
  readonly status = signal<LinkStatus>('connecting');
  private socket: WebSocket | null = null;
  private seq = 0;
  private failures = 0;
  private everOpen = false;
  private readonly openers = new Set<() => void>();
  private readonly listeners = new Set<(message: ServerMessage) => void>();

  constructor(
    private readonly url: string,
    private readonly dial: (url: string) => WebSocket = (address) => new WebSocket(address),
  ) {}

  /** Call `opened` at every opening (now, if open) and `received` for every message; returns the way out. */
  listen(opened: () => void, received: (message: ServerMessage) => void): () => void {
    this.openers.add(opened);
    this.listeners.add(received);
    if (this.socket === null) this.connect();
    else if (this.isOpen) opened();
    return () => {
      this.openers.delete(opened);
      this.listeners.delete(received);
    };
  }

  get isOpen(): boolean {
    return this.status.value === 'open';
  }

  /** Send if open; what is said while closed is said again by the openers. */
  send(kind: ClientKind): void {
    if (!this.isOpen || this.socket === null) return;
    this.seq += 1;
    const message = create(ClientMessageSchema, { v: PROTOCOL_VERSION, seq: this.seq, kind });
    this.socket.send(toBinary(ClientMessageSchema, message));
  }

  private connect(): void {
    const socket = this.dial(this.url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.opened();
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => this.received(event.data);
    socket.onclose = (event: CloseEvent) => this.closed(event.code);
    this.socket = socket;
  }

  private opened(): void {
    this.failures = 0;
    this.seq = 0;
    this.everOpen = true;
    this.status.value = 'open';
    for (const opener of [...this.openers]) opener();
  }

  private received(data: ArrayBuffer): void {
    const message = fromBinary(ServerMessageSchema, new Uint8Array(data));
    if (message.v !== PROTOCOL_VERSION) return;
    for (const listener of [...this.listeners]) listener(message);
    if (message.kind.case === 'tiles') this.send({ case: 'tilesSeen', value: { count: 1 } });
  }

  private closed(code: number): void {
    if (code === CLOSED_SIGNED_OUT) {
      this.status.value = 'signed-out';
      return;
    }
    this.failures += 1;
    // A socket that was open once is not blocked: then the server is away, and the page says so until it is back.
    const blocked = this.failures >= FAILURES_BEFORE_HTTP;
    this.status.value = this.everOpen ? 'lost' : blocked ? 'http' : 'connecting';
    setTimeout(() => this.connect(), this.retryMs(code));
  }

  /** Doubles to ten seconds; a random half keeps a restarted server from being met by all pages at once. */
  private retryMs(code: number): number {
    const calm = code === CLOSED_TOO_MANY ? 5000 : FIRST_RETRY_MS;
    const wait = Math.min(LAST_RETRY_MS, calm * 2 ** (this.failures - 1));
    return wait * (0.5 + Math.random() / 2);
  }
}

let shared: Connection | null = null;

/** The page's one connection, opened at first use. */
export function connection(): Connection {
  if (shared === null) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    shared = new Connection(`${scheme}//${location.host}/ws/`);
  }
  return shared;
}
