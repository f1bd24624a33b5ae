import { useEffect, useState } from "preact/hooks";

import { RequestError } from "@taskriver/client";
import { merged, type Draft } from "../board/draft";
import type { Store } from "../board/store";
import { Dialog } from "./Dialog";
import { TaskFields } from "./TaskFields";

/** A task that the address names and the board does not have: it is looked for, or it is said that there is none. */
export function MissingTask({ store, id }: { store: Store; id: string }) {
  const { state, problem, again } = useLookup(store, id);
  const salvage = state === "MISSING" ? store.state.drafts.get(id) : undefined;
  return (
    <Dialog store={store} title={TITLES[state]} onLeave={() => void store.close()}>
      <p role="status">{problem || TEXTS[state]}</p>
      {salvage && <Unsaved draft={salvage} />}
      <div class="actions">
        {state === "FAILED" && <button type="button" onClick={again}>Try again</button>}
        <button type="button" onClick={() => void store.close()}>Back to the board</button>
        {salvage && (
          <button type="button" class="primary" onClick={() => store.edit.salvage(id)}>Create a new task with it</button>
        )}
      </div>
    </Dialog>
  );
}

function Unsaved({ draft }: { draft: Draft }) {
  return (
    <>
      <p class="note">What you typed is not saved. You can create a new task with it.</p>
      <TaskFields fields={merged(draft, draft.base)} readOnly onField={() => {}} />
    </>
  );
}

type Lookup = "READING" | "MISSING" | "FAILED";

const TITLES: Readonly<Record<Lookup, string>> = {
  READING: "Task", MISSING: "Task not found", FAILED: "The task could not be read",
};
const TEXTS: Readonly<Record<Lookup, string>> = {
  READING: "Reading the task …", MISSING: "It was deleted, or you cannot see it, or the link is wrong.", FAILED: "",
};

/** Once the lists are read: a task that was read before them could have been deleted since. */
function useLookup(store: Store, id: string) {
  const { loaded } = store.state;
  const [round, setRound] = useState(0);
  const [{ state, problem }, set] = useState({ state: "READING" as Lookup, problem: "" });
  useEffect(() => {
    if (!loaded) return;
    let over = false;
    const answer = (found: { state: Lookup; problem: string }) => over || set(found);
    store.follow.read(id).then(
      (found) => found || answer({ state: "MISSING", problem: "" }),
      (error: Error) => answer(error instanceof RequestError && error.code === "BAD_REQUEST"
        ? { state: "MISSING", problem: "" }
        : { state: "FAILED", problem: error.message }),
    );
    return () => {
      over = true;
    };
  }, [id, loaded, round]);
  return { state, problem, again: () => setRound((now) => now + 1) };
}
