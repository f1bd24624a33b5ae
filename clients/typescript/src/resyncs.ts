import { backoff, sleep, type BackoffOptions } from "./backoff.js";
import type { StreamItem } from "./cache.js";
import type { AnyRequest } from "./document.js";
import { asRequestError } from "./errors.js";

/** Why and where the stream continues; see `ResyncRequired` in docs/errors.md. */
export interface Resync {
  /** `TRIMMED`, `FUTURE`, `EPOCH` or `ACCESS`; undefined if the document does not select it. */
  readonly reason: string | undefined;
  /** Where the stream continues unless `onResync` returns another cursor. */
  readonly cursor: string;
}

type Cursor = string | null | undefined | void;
export type OnResync = (resync: Resync, request: AnyRequest) => Cursor | Promise<Cursor>;

export type Resyncs = (item: StreamItem & { readonly cursor: string }, request: AnyRequest) => Promise<Cursor>;

/**
 * Reads lists again: once for all subscriptions that need it at the same time, until it succeeds. Resolves to the cursor of
 * the lists; rejects if the signal is aborted, or after a failure if no subscription needs them.
 */
export function createResyncs(
  onResync: OnResync | undefined, onStart: () => void, isNeeded: () => boolean, pauses: BackoffOptions, signal: AbortSignal,
): Resyncs {
  let running: Promise<Cursor> | null = null;

  async function read(resync: Resync, request: AnyRequest): Promise<Cursor> {
    onStart();
    for (let failures = 0; ; failures++) {
      try {
        return await onResync?.(resync, request);
      } catch (error) {
        await sleep(backoff(failures, pauses, asRequestError(error).retryAfter), signal);
        if (!isNeeded()) throw error;
      }
    }
  }

  return ({ reason, cursor }, request) => (running ??= read({ reason, cursor }, request).finally(() => (running = null)));
}
