import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

import type { Problem } from "../problem";

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

/** A form that sends itself: *work* answers what is wrong, or null. Pressing again before that does nothing. */
export function useSubmit(work: () => Promise<string | null>, onDone: () => void) {
  const { busy, problem, submit } = useWork(work, onDone);
  return { busy, problem: problem ?? "", submit };
}

/** The same for a form whose problems belong to its fields: the focus goes to the first one that is wrong. */
export function useForm(work: () => Promise<Problem | null>, onDone: () => void) {
  const form = useRef<HTMLFormElement | null>(null);
  const { busy, problem, submit } = useWork(work, onDone);
  useLayoutEffect(() => {
    if (problem?.field) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [problem]);
  const send = (event: SubmitEvent) => {
    form.current = event.currentTarget as HTMLFormElement;
    submit(event);
  };
  return { busy, problem, submit: send };
}

function useWork<Wrong>(work: () => Promise<Wrong | null>, onDone: () => void) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Wrong | null>(null);
  const running = useRef(false);
  const run = async () => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(null);
    const found = await work();
    running.current = false;
    setBusy(false);
    if (found === null) onDone();
    else setProblem(found);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run();
  };
  return { busy, problem, submit };
}

/** While *active*, has the browser ask before the page is left, if *isNeeded* by then. */
export function useUnloadQuestion(active: boolean, isNeeded: () => boolean): void {
  useLayoutEffect(() => {
    if (!active) return;
    const ask = (event: BeforeUnloadEvent) => isNeeded() && event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [active]);
}
