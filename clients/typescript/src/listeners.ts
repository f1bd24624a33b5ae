import { call } from "./errors.js";

export interface Listeners<Arguments extends unknown[]> {
  /** Returns a function that removes the listener. */
  readonly add: (listener: (...values: Arguments) => void) => () => void;
  readonly notify: (...values: Arguments) => void;
}

/** A set of listeners. One that throws does not keep the others from being called. */
export function createListeners<Arguments extends unknown[] = []>(): Listeners<Arguments> {
  const listeners = new Set<{ readonly listener: (...values: Arguments) => void }>();
  return {
    add(listener) {
      const own = { listener };
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    notify(...values) {
      for (const { listener } of [...listeners]) call(() => listener(...values));
    },
  };
}
