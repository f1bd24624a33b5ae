import type { Sink } from "./subscription.js";

interface Source {
  pause(): void;
  resume(): void;
  end(): void;
}

/** How many results wait for the consumer at most, before the source is paused. */
const LONGEST_QUEUE = 256;

/** The results of a subscription as an async iterable. It subscribes at once; `return` ends it, also while it waits. */
export function iterate<T>(subscribe: (sink: Sink) => Source): AsyncIterableIterator<T> {
  const queue: T[] = [];
  let isPaused = false;
  let end: { readonly error?: unknown } | null = null;
  /** Calls of `next` that wait for a result, in their order. */
  const waiting: (() => void)[] = [];

  const notify = () => waiting.splice(0).forEach((wake) => wake());
  const finish = (reason: { error?: unknown }) => ((end ??= reason), notify());
  const source = subscribe({
    next: (result) => {
      queue.push(result as T);
      if (queue.length >= LONGEST_QUEUE && !isPaused) source.pause(), (isPaused = true);
      notify();
    },
    error: (error) => finish({ error }),
    complete: () => finish({}),
  });

  const next = async (): Promise<IteratorResult<T>> => {
    while (!queue.length && !end) await new Promise<void>((resolve) => waiting.push(resolve));
    if (!queue.length) {
      const { error } = end!;
      end = {}; // An error is thrown once.
      if (error) throw error;
      return { done: true, value: undefined };
    }
    const value = queue.shift()!;
    if (isPaused && !queue.length) (isPaused = false), source.resume();
    return { done: false, value };
  };

  return {
    next,
    return: async () => {
      queue.length = 0;
      source.end();
      finish({});
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
