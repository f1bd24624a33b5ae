import { backoff, type BackoffOptions, type Timer } from "./backoff.js";
import type { StreamItem } from "./cache.js";
import { textOf, type AnyRequest } from "./document.js";
import { call, type RequestError } from "./errors.js";
import type { GraphQLResult } from "./http.js";
import { RecentMap } from "./recent_map.js";

/** Who receives the results of a subscription. */
export interface Sink<TData = unknown> {
  /** A result. It can have `errors`: the subscription continues. */
  next(result: GraphQLResult<TData>): void;
  /** The end, because the transport or the operation failed for good. Nothing follows. */
  readonly error?: ((error: RequestError) => void) | undefined;
  /** The end, because the server has no more results. Nothing follows. */
  readonly complete?: (() => void) | undefined;
}

/** How many cursors are remembered, so that no item is delivered twice. */
const REMEMBERED = 2_000;

/** One subscription: its sink, and its position in the stream across connections. */
export class Subscription {
  /** The id of its operation on the current connection; null: it has none. */
  id: string | null = null;
  /** Whether it waits: for lists that are read again, for its consumer, or because it was refused for a while. */
  isPaused = false;
  /** How often it was refused or lost its place, one time soon after the other. */
  failures = 0;
  timer: Timer | undefined;
  readonly #sink: Sink;
  #after: string | null;
  readonly #seen = new RecentMap<true>(REMEMBERED);
  #stableAt = 0;
  #hasEnded = false;

  constructor(readonly request: AnyRequest, sink: Sink) {
    this.#sink = sink;
    const { after } = (request.variables ?? {}) as { after?: string | null };
    this.#after = after ?? null;
    JSON.stringify(this.payload); // Throws here and not on a later connection.
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What to send: it continues after the last cursor. */
  get payload(): object {
    const { query, variables, operationName, extensions } = this.request;
    return {
      query: textOf(query),
      variables: { ...(variables as object | undefined), after: this.#after },
      ...(operationName && { operationName }),
      ...(extensions && { extensions }),
    };
  }

  /** The pause before it starts again, in milliseconds. It grows until a pause is followed by *stableAfter* without a failure. */
  fail(options: BackoffOptions & { readonly stableAfter: number }, retryAfter?: number): number {
    const now = Date.now();
    if (now > this.#stableAt) this.failures = 0;
    const delay = backoff(this.failures++, options, retryAfter);
    this.#stableAt = now + delay + options.stableAfter;
    return delay;
  }

  /** Continues from another place. What comes from there is new, whatever was received before. */
  moveTo(cursor: string): void {
    this.#seen.clear();
    this.#after = cursor;
  }

  /** Remembers a position; false: it was passed before. A ping that an item overtakes names an earlier one. */
  pass(cursor: string): boolean {
    if (this.#seen.has(cursor)) return false;
    this.#seen.set(cursor, true);
    this.#after = cursor;
    return true;
  }

  next(result: GraphQLResult): void {
    if (!this.#hasEnded) call(() => this.#sink.next(result));
  }

  error(error: RequestError): void {
    this.#finish(() => this.#sink.error?.(error));
  }

  complete(): void {
    this.#finish(() => this.#sink.complete?.());
  }

  /** Ends it without a call of the sink. */
  end(): void {
    this.#hasEnded = true;
  }

  #finish(notify: () => void): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    call(notify);
  }
}

/** The item in a result; undefined: errors took its place. */
export function itemOf({ data }: GraphQLResult): (StreamItem & { readonly cursor: string }) | undefined {
  const item = Object.values((data ?? {}) as Record<string, StreamItem | null>)[0];
  return typeof item?.cursor === "string" ? (item as StreamItem & { cursor: string }) : undefined;
}
