import type { AskRequest } from "./ask.js";
import { later, sleep, type Timer } from "./backoff.js";
import type { Cache, StreamItem } from "./cache.js";
import type { WebSocketClass } from "./connection.js";
import { Connector, type StreamStatus } from "./connector.js";
import type { AnyRequest } from "./document.js";
import { DISPOSED, RequestError, responseError, type ResponseError } from "./errors.js";
import type { GraphQLResult } from "./http.js";
import { iterate } from "./iterate.js";
import { mapFields, type Json, type JsonObject } from "./json.js";
import { createListeners } from "./listeners.js";
import { createResyncs, type OnResync, type Resyncs } from "./resyncs.js";
import type { Authorizer } from "./session.js";
import { itemOf, Subscription, type Sink } from "./subscription.js";
import { onWake } from "./wake.js";

export interface StreamOptions {
  /** The source of tokens. The stream belongs to its user: it ends when another user signs in. */
  readonly session: Authorizer;
  /** The address of the WebSocket; default: that of the session. */
  readonly url?: string | undefined;
  /**
   * What came before is lost to the stream (`ResyncRequired`): read your lists again, and return their `streamCursor`.
   * A failure is repeated until it succeeds. Without a cursor the stream continues from where it is.
   */
  readonly onResync?: OnResync | undefined;
  /** Receives each item before the sink does, and is reset before `onResync`. */
  readonly cache?: Cache | undefined;
  /** Default: the global `WebSocket`. In Node 20, the class of the package `ws`. */
  readonly webSocket?: WebSocketClass | undefined;
  /** Milliseconds until a token must be there, and then until the connection must be ready (10,000). */
  readonly handshakeTimeout?: number | undefined;
  /** Milliseconds without a message after which a connection is replaced (30,000). The server pings every 12 seconds. */
  readonly silenceTimeout?: number | undefined;
  /** Milliseconds until the server must answer after a sleep or a change of the network (5,000). */
  readonly checkTimeout?: number | undefined;
  /** The longest pause before the first attempt to reconnect, and of all, in milliseconds (500 and 15,000). */
  readonly minDelay?: number | undefined;
  readonly maxDelay?: number | undefined;
  /** Milliseconds after which a connection is stable, and pauses begin to grow from `minDelay` again (10,000). */
  readonly stableAfter?: number | undefined;
  /** Milliseconds until the connection is closed after its last subscription has ended (1,000). */
  readonly idleTimeout?: number | undefined;
}

export interface Stream {
  readonly status: StreamStatus;
  /** Calls *listener* after each change of the status; returns a function that ends this. */
  onStatus(listener: () => void): () => void;
  /** Calls *listener* with each position that a ping or an item reports. */
  onCursor(listener: (cursor: string) => void): () => void;
  /**
   * Delivers each item once, in order, across connections. The document has a variable `$after: String`, and selects
   * `__typename` and `cursor` in its one root field. Returns a function that ends the subscription.
   */
  subscribe<TData = unknown, TVariables = Record<string, unknown>>(
    request: AskRequest<TData, TVariables>, sink: Sink<TData>,
  ): () => void;
  /** The results as an async iterable. While the consumer is slow, the server waits. */
  iterate<TData = unknown, TVariables = Record<string, unknown>>(
    request: AskRequest<TData, TVariables>,
  ): AsyncIterableIterator<GraphQLResult<TData>>;
  /** The network or the device is back: tests the connection, or connects at once. Browsers call it themselves. */
  check(): void;
  /** Closes the connection, and opens another one after *delay* milliseconds. */
  reconnect(delay?: number): void;
  /** Completes all subscriptions, and closes the connection for good. */
  dispose(): void;
}

const DEFAULTS = {
  handshakeTimeout: 10_000, silenceTimeout: 30_000, checkTimeout: 5_000, minDelay: 500, maxDelay: 15_000,
  stableAfter: 10_000, idleTimeout: 1_000,
};

/** Creates a stream. It connects with its first subscription. */
export function createStream(options: StreamOptions): Stream {
  return new ResumableStream(options);
}

type Settings = StreamOptions & typeof DEFAULTS;

class ResumableStream implements Stream {
  readonly #options: Settings;
  readonly #subscriptions = new Set<Subscription>();
  readonly #running = new Map<string, Subscription>();
  readonly #connector: Connector;
  readonly #resyncs: Resyncs;
  readonly #statusListeners = createListeners();
  readonly #cursorListeners = createListeners<[string]>();
  readonly #disposal = new AbortController();
  #lastId = 0;
  #idle: Timer | undefined;
  #removeWake: (() => void) | undefined;

  constructor(options: StreamOptions) {
    const optionOf = (value: Json, name: string) => (options as unknown as JsonObject)[name] ?? value;
    this.#options = { ...options, ...(mapFields(DEFAULTS, optionOf) as typeof DEFAULTS) };
    this.#connector = new Connector(
      this.#options,
      {
        connected: () => this.#startAll(),
        disconnected: () => this.#stopAll(),
        failed: (error) => this.#failAll(error),
        changed: () => this.#statusListeners.notify(),
        message: (type, id, payload) => this.#receive(type, this.#running.get(id), payload),
        cursors: (cursors) => this.#pinged(cursors),
      },
    );
    this.#resyncs = createResyncs(
      options.onResync, () => options.cache?.reset(), () => this.#subscriptions.size > 0, this.#options, this.#disposal.signal,
    );
  }

  get status(): StreamStatus {
    return this.#connector.status;
  }

  onStatus = (listener: () => void): (() => void) => this.#statusListeners.add(listener);

  onCursor = (listener: (cursor: string) => void): (() => void) => this.#cursorListeners.add(listener);

  subscribe = <TData = unknown, TVariables = Record<string, unknown>>(
    request: AskRequest<TData, TVariables>, sink: Sink<TData>,
  ): (() => void) => {
    const subscription = this.#add(request, sink as Sink);
    return () => this.#end(subscription);
  };

  iterate = <TData = unknown, TVariables = Record<string, unknown>>(
    request: AskRequest<TData, TVariables>,
  ): AsyncIterableIterator<GraphQLResult<TData>> => iterate<GraphQLResult<TData>>((sink) => {
    const subscription = this.#add(request, sink as Sink);
    return {
      pause: () => this.#pause(subscription),
      resume: () => this.#resume(subscription),
      end: () => this.#end(subscription),
    };
  });

  check = (): void => this.#connector.check();

  reconnect = (delay = 0): void => this.#connector.reconnect(delay);

  dispose = (): void => {
    this.#disposal.abort();
    this.#removeWake?.();
    this.#connector.stop("closed");
    for (const subscription of this.#subscriptions) this.#remove(subscription), subscription.complete();
    clearTimeout(this.#idle);
  };

  #add(request: AnyRequest, sink: Sink): Subscription {
    const subscription = new Subscription(request, sink);
    if (this.status.state === "closed") {
      subscription.error(new RequestError("CLOSED", DISPOSED));
      return subscription;
    }
    clearTimeout(this.#idle);
    this.#removeWake ??= onWake(this.check);
    this.#subscriptions.add(subscription);
    this.#connector.start();
    this.#start(subscription);
    return subscription;
  }

  #end(subscription: Subscription): void {
    subscription.end();
    this.#stop(subscription);
    this.#remove(subscription);
  }

  #remove(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription)) return;
    this.#forget(subscription);
    clearTimeout(subscription.timer);
    if (!this.#subscriptions.size) this.#idle = later(this.#options.idleTimeout, this.#becomeIdle);
  }

  /** Not at once: a component that is mounted again at once keeps its connection. */
  #becomeIdle = (): void => {
    this.#removeWake?.();
    this.#removeWake = undefined;
    if (this.status.state !== "idle") this.#connector.stop();
  };

  #start(subscription: Subscription): void {
    const { connection } = this.#connector;
    if (!connection || subscription.id !== null || subscription.isPaused || subscription.hasEnded) return;
    const id = (subscription.id = `${++this.#lastId}`);
    this.#running.set(id, subscription);
    connection.subscribe(id, subscription.payload);
  }

  /** Ends its operation on the connection; results that are under way are ignored. */
  #stop(subscription: Subscription): void {
    const { id } = subscription;
    if (id === null) return;
    this.#forget(subscription);
    this.#connector.connection?.complete(id);
  }

  /** It has no operation on the connection. */
  #forget(subscription: Subscription): void {
    this.#running.delete(subscription.id!);
    subscription.id = null;
  }

  #pause(subscription: Subscription): void {
    subscription.isPaused = true;
    this.#stop(subscription);
  }

  #resume(subscription: Subscription): void {
    subscription.isPaused = false;
    this.#start(subscription);
  }

  #startAll(): void {
    for (const subscription of this.#subscriptions) this.#start(subscription);
  }

  #stopAll(): void {
    for (const subscription of this.#running.values()) subscription.id = null;
    this.#running.clear();
  }

  #failAll(error: RequestError): void {
    const subscriptions = [...this.#subscriptions];
    for (const subscription of subscriptions) this.#remove(subscription);
    for (const subscription of subscriptions) subscription.error(error);
  }

  #pinged(cursors: Readonly<Record<string, string>>): void {
    for (const [id, cursor] of Object.entries(cursors)) {
      if (this.#running.get(id)?.pass(cursor)) this.#cursorListeners.notify(cursor);
    }
  }

  /** A message for an operation that has ended on this side is ignored. */
  #receive(type: string, subscription: Subscription | undefined, payload: unknown): void {
    if (!subscription) return;
    if (type === "next") return this.#next(subscription, payload as GraphQLResult);
    if (type === "error") return this.#error(subscription, payload as ResponseError[]);
    if (type !== "complete") return;
    this.#remove(subscription);
    subscription.complete();
  }

  #next(subscription: Subscription, result: GraphQLResult): void {
    const item = itemOf(result);
    // First of all: its cursor may have been passed before, and what follows is another history.
    if (item?.__typename === "ResyncRequired") return void this.#resync(subscription, item);
    if (item && !subscription.pass(item.cursor)) return;
    const { cache } = this.#options;
    subscription.next(cache && result.data ? { ...result, data: cache.writeStream(result.data) } : result);
    if (item) this.#cursorListeners.notify(item.cursor);
  }

  /** Its operation is stopped until then, so that the server keeps what follows, and nothing is held in memory. */
  async #resync(subscription: Subscription, item: StreamItem & { readonly cursor: string }): Promise<void> {
    this.#pause(subscription);
    subscription.moveTo(item.cursor);
    const delay = subscription.fail(this.#options);
    try {
      // One that soon follows another waits, so that a cursor that is never accepted does not load the server.
      if (subscription.failures > 1) await sleep(delay, this.#disposal.signal);
      const cursor = await this.#resyncs(item, subscription.request);
      if (typeof cursor === "string") subscription.moveTo(cursor);
      this.#resume(subscription);
    } catch {
      // The stream was disposed of, or has no subscriptions.
    }
  }

  /** The operation was refused; the connection continues. */
  #error(subscription: Subscription, errors: readonly ResponseError[]): void {
    const error = responseError(errors);
    this.#forget(subscription);
    if (error.code === "UNAUTHENTICATED") return this.#connector.renew(error);
    if (error.isTemporary) return this.#later(subscription, error);
    this.#remove(subscription);
    subscription.error(error);
  }

  #later(subscription: Subscription, { retryAfter }: RequestError): void {
    subscription.isPaused = true; // Another connection does not shorten the pause.
    subscription.timer = later(subscription.fail(this.#options, retryAfter), () => this.#resume(subscription));
  }
}
