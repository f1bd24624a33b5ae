import { useState } from "preact/hooks";

import type { Project } from "../board/project";
import type { Store } from "../board/store";
import { Field, FormProblem } from "../../../common/ui/Field";
import { useForm } from "../../../common/ui/use";

/** Deletes the project for good: an empty one after a question, one with tasks if its key is typed. */
export function DeleteProject({ store, project: { key } }: { store: Store; project: Project }) {
  const [typed, setTyped] = useState("");
  const [isRefused, setRefused] = useState(false);
  const { partial, loaded, board } = store.state;
  const count = loaded && !partial ? board.tasks.size : null;
  const needsKey = count !== 0 || isRefused || store.settings.isDeleting;
  const remove = async () => {
    if (!needsKey && !(await store.ask(questionOf(key)))) return null;
    if (needsKey && typed.trim().toUpperCase() !== key) return { field: "confirmKey", text: `Type ${key} to delete the project.` };
    const problem = await store.settings.remove(needsKey ? key : null);
    setRefused(problem?.field === "confirmKey");
    return problem;
  };
  const { busy, problem, submit } = useForm(remove, () => {});
  return (
    <form class="part" aria-labelledby="delete-project" onSubmit={submit} noValidate>
      <h3 id="delete-project">Delete</h3>
      <p class="fine">{lossOf(count)} The members lose the project. This cannot be undone. Its keys can then be used again.</p>
      {needsKey && (
        <Field name="confirmKey" label={`Type ${key} to confirm`} problem={problem}>
          {(props) => (
            <input
              {...props} autocomplete="off" spellcheck={false} value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      <FormProblem problem={problem} />
      <div class="actions">
        <button class="danger" aria-disabled={busy}>{busy ? "Deleting …" : needsKey ? `Delete ${key}` : `Delete ${key} …`}</button>
      </div>
    </form>
  );
}

function lossOf(count: number | null): string {
  if (count === 0) return "The project has no tasks. What is in its trash is deleted, too.";
  const tasks = count === null ? "All tasks" : count === 1 ? "Its 1 task" : `Its ${count.toLocaleString("en")} tasks`;
  return `${tasks}, with comments and labels, and what is in the trash are deleted for good.`;
}

function questionOf(key: string) {
  return { title: `Delete ${key}?`, text: "The project has no tasks. This cannot be undone.", yes: "Delete", no: "Cancel" };
}
