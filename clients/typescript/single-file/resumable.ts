// The stream of the client package as one file to copy, for programs without npm packages; `make client` builds it.
import type { Authorizer, GraphQLResult, OnResync, Sink, WebSocketClass } from "../src/index.js";
import { createStream } from "../src/stream.js";

export interface ResumableOptions {
  /** The address of the WebSocket. */
  readonly url: string | (() => string | Promise<string>);
  /**
   * An access token; *refresh*: a new one, because the last one is no longer accepted. An error is repeated, unless it has
   * `fatal: true`.
   */
  readonly accessToken: (refresh: boolean) => string | Promise<string>;
  /** Read your lists again, and return their `streamCursor`. A failure is repeated. */
  readonly onResync?: OnResync;
  /** Milliseconds without a message after which a connection is replaced (30,000). The server pings every 12 seconds. */
  readonly silence?: number;
  /** The longest pause between two attempts, in milliseconds (15,000). */
  readonly longestPause?: number;
  /** In Node 20, the class of the package `ws`. */
  readonly webSocketImpl?: WebSocketClass;
}

export interface Payload {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
  readonly extensions?: Record<string, unknown>;
}

type Events = { connected: () => void; closed: (event: { code: number | undefined; reason: string }) => void };

/**
 * A client for subscriptions that have a variable `$after: String` and select `__typename cursor` in their one root field.
 * Each item reaches the application once, in order, across any number of connections.
 */
export function createResumableClient(options: ResumableOptions) {
  const { silence, longestPause, webSocketImpl, onResync } = options;
  const stream = createStream({
    session: authorizer(options),
    webSocket: webSocketImpl,
    onResync,
    ...(silence && { silenceTimeout: silence, handshakeTimeout: silence }),
    ...(longestPause && { maxDelay: longestPause }),
  });
  return {
    /** Returns a function that ends the subscription. */
    subscribe: (payload: Payload, sink: Sink<any>): (() => void) => stream.subscribe(payload, sink),
    /** The same as an async iterable. */
    iterate: (payload: Payload): AsyncIterableIterator<GraphQLResult<any>> => stream.iterate(payload),
    /** Calls *listener* after each connection and after each end of one; returns a function that ends this. */
    on<Name extends keyof Events>(name: Name, listener: Events[Name]): () => void {
      let last = stream.status;
      return stream.onStatus(() => {
        const before = last;
        last = stream.status;
        if (name === "connected" && last.connections > before.connections) (listener as Events["connected"])();
        if (name === "closed" && last.state !== "connected" && last.error && last.error !== before.error) {
          (listener as Events["closed"])({ code: last.error.closeCode, reason: last.error.message });
        }
      });
    },
    /** Tests the connection, or connects at once: after a sleep. Browsers call it themselves. */
    check: stream.check,
    /** Replaces the connection. */
    terminate: () => stream.reconnect(),
    /** Ends all subscriptions. */
    dispose: stream.dispose,
  };
}

function authorizer({ url, accessToken }: ResumableOptions): Authorizer {
  let address = "";
  return {
    get url() {
      return address;
    },
    async authorize({ refused } = {}) {
      address = typeof url === "function" ? await url() : url;
      return { token: await accessToken(refused !== undefined), user: null };
    },
  };
}
