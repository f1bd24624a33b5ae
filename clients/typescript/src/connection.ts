import { later, type Timer } from "./backoff.js";

/** The constructor of `WebSocket`: the browser's, Node 22's, or that of the package `ws`. */
export type WebSocketClass = new (url: string, protocol: string) => WebSocketLike;

export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** Of the package `ws`: closes without waiting for the other side. */
  terminate?(): void;
}

export interface ConnectionOptions {
  readonly webSocket?: WebSocketClass | undefined;
  /** Milliseconds until the server must have acknowledged the connection. */
  readonly handshakeTimeout: number;
  /** Milliseconds without a message after which the connection is closed. */
  readonly silenceTimeout: number;
}

export interface ConnectionHandlers {
  /** The server has accepted the connection. */
  acknowledged(): void;
  /** A message for an operation: `next`, `error` or `complete`. */
  message(type: string, id: string, payload: unknown): void;
  /** A ping said where operations stand. */
  cursors(cursors: Readonly<Record<string, string>>): void;
  /** The end. Called once; nothing is called after it. */
  closed(code: number, reason: string): void;
}

interface Message {
  readonly type: string;
  readonly id: string;
  readonly payload?: unknown;
}

export const PROTOCOL = "graphql-transport-ws";
/** The close codes of this side. */
export const TIMED_OUT = 4408;
export const DROPPED = 4499;
const NORMAL = 1000;

/**
 * One WebSocket of `graphql-transport-ws`, from its handshake to its end. A connection that has ended calls no handler
 * from then on, so that late events of its socket cannot reach the next connection.
 */
export class Connection {
  readonly #silenceTimeout: number;
  readonly #handlers: ConnectionHandlers;
  readonly #socket: WebSocketLike;
  #isOpen = false;
  #hasEnded = false;
  #timer: Timer | undefined;
  #lastMessageAt = Date.now();

  constructor(url: string, token: string, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#silenceTimeout = options.silenceTimeout;
    this.#handlers = handlers;
    const { webSocket = globalThis.WebSocket as unknown as WebSocketClass } = options;
    this.#socket = new webSocket(url, PROTOCOL);
    this.#socket.onopen = () => this.#send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    this.#socket.onmessage = ({ data }: { data: unknown }) => this.#receive(String(data));
    this.#socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.close(code, reason);
    // A close event follows. Without a listener the package `ws` throws.
    this.#socket.onerror = () => {};
    this.#watch(options.handshakeTimeout);
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#hasEnded;
  }

  subscribe(id: string, payload: object): void {
    this.#send({ type: "subscribe", id, payload });
  }

  complete(id: string): void {
    this.#send({ type: "complete", id });
  }

  /** Ends the connection if no message arrives within *timeout* milliseconds: after a sleep it can be dead unnoticed. */
  check(timeout: number): void {
    if (!this.isOpen) return;
    if (Date.now() - this.#lastMessageAt > this.#silenceTimeout) return this.#timedOut();
    this.#send({ type: "ping" });
    this.#watch(timeout);
  }

  #receive(data: string): void {
    this.#lastMessageAt = Date.now();
    if (this.#isOpen) this.#watch(this.#silenceTimeout);
    try {
      this.#handle(JSON.parse(data));
    } catch {
      this.close(4400, "Invalid message.");
    }
  }

  #handle({ type, id, payload }: Message): void {
    if (type === "connection_ack") this.#acknowledged();
    else if (type === "ping") this.#pinged(payload as { cursors?: Record<string, string> } | undefined);
    else this.#handlers.message(type, id, payload);
  }

  #acknowledged(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#watch(this.#silenceTimeout);
    this.#handlers.acknowledged();
  }

  #pinged(payload?: { cursors?: Record<string, string> } | null): void {
    this.#send({ type: "pong" });
    if (payload?.cursors) this.#handlers.cursors(payload.cursors);
  }

  /** Ends the connection after a silence of so many milliseconds from now on. */
  #watch(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (!this.#hasEnded) this.#timer = later(milliseconds, () => this.#timedOut());
  }

  #timedOut(): void {
    this.close(TIMED_OUT, "No message arrived.");
  }

  #send(message: object): void {
    if (this.#hasEnded) return;
    try {
      this.#socket.send(JSON.stringify(message));
    } catch {
      // The socket is closing: its close event follows.
    }
  }

  close(code: number, reason = ""): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (code === NORMAL || !socket.terminate) socket.close(code === NORMAL || code >= 3000 ? code : NORMAL);
    else socket.terminate();
    this.#handlers.closed(code, reason);
  }
}
