export type Timer = ReturnType<typeof setTimeout>;

/** A longer timer fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Calls *work* after *milliseconds*, or after the longest time that a timer can have. */
export function later(milliseconds: number, work: () => void): Timer {
  return setTimeout(work, Math.min(milliseconds, LONGEST_TIMER));
}

export interface BackoffOptions {
  /** The longest first pause, in milliseconds. */
  readonly minDelay: number;
  /** The longest pause of all, in milliseconds. */
  readonly maxDelay: number;
}

/**
 * The pause before the next attempt, in milliseconds: it doubles with each failure. Half of it is random, so that clients
 * that were disconnected together do not return together. It is at least *retryAfter* seconds, if that is a number.
 */
export function backoff(failures: number, { minDelay, maxDelay }: BackoffOptions, retryAfter = 0): number {
  const longest = Math.min(maxDelay, minDelay * 2 ** Math.min(failures, 20));
  return Math.max(longest / 2, retryAfter * 1_000 || 0) + (Math.random() * longest) / 2;
}

/** Resolves after *milliseconds*; rejects with the signal's reason when the signal is aborted. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => (clearTimeout(timer), reject(signal!.reason));
    if (signal?.aborted) return reject(signal.reason);
    const timer = later(milliseconds, () => (signal?.removeEventListener("abort", abort), resolve()));
    signal?.addEventListener("abort", abort, { once: true });
  });
}
