import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import type { Question } from "../../../common/question";
import { ConfirmDialog } from "../../../common/ui/ConfirmDialog";
import { inWords } from "../api/api";

export interface Loaded<Data> {
  readonly data: Data | null;
  /** Why the last attempt failed; empty if it did not. */
  readonly problem: string;
  /** Reads again. What is shown stays until there is a response. */
  readonly reload: () => Promise<void>;
}

/** Reads once, when *key* changes, and whenever the page is visible again. A response to an earlier request is dropped. */
export function useLoad<Data>(load: () => Promise<Data>, key = ""): Loaded<Data> {
  const [data, setData] = useState<Data | null>(null);
  const [problem, setProblem] = useState("");
  const count = useRef(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(async () => {
    const mine = ++count.current;
    try {
      const found = await latest.current();
      if (mine !== count.current) return;
      setData(found);
      setProblem("");
    } catch (error) {
      if (mine === count.current) setProblem(inWords(error));
    }
  }, []);
  useEffect(() => void reload(), [key]);
  useEffect(() => {
    const onVisible = () => document.visibilityState === "visible" && void reload();
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, []);
  return { data, problem, reload };
}

export type Ask = (question: Omit<Question, "id" | "answer" | "no">) => Promise<boolean>;

/** Asks the viewer before something is done that cannot be undone. */
export function useQuestion(): { readonly ask: Ask; readonly dialog: ComponentChildren } {
  const [question, setQuestion] = useState<Question | null>(null);
  const number = useRef(0);
  const ask: Ask = (asked) => new Promise((answered) => {
    const answer = (yes: boolean) => {
      setQuestion(null);
      answered(yes);
    };
    setQuestion({ ...asked, no: "Cancel", id: ++number.current, answer });
  });
  return { ask, dialog: question && <ConfirmDialog key={question.id} question={question} /> };
}
