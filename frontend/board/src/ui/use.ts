import { useEffect, useReducer } from "preact/hooks";

interface Subscribable {
  subscribe(listener: () => void): () => void;
}

/** Draws the component anew whenever *source* says that something has changed. */
export function useChanges(source: Subscribable): void {
  const [, again] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    again(); // what changed before we listened
    return source.subscribe(() => again());
  }, [source]);
}

/** Draws the component anew every so many milliseconds, for what depends on the time. */
export function useClock(milliseconds: number): number {
  const [, again] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => again(), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return Date.now();
}
