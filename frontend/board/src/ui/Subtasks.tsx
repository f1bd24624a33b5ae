import { useEffect, useState } from "preact/hooks";

import type { ShownTask } from "../board/pending_changes";
import { mayCreate } from "../board/project";
import type { Store } from "../board/store";
import { subtasksOf } from "../board/subtasks";
import { isAllowed } from "../board/transitions";
import { STATUS_WORDS } from "../board/words";
import { StatusIcon } from "./icons";
import { useSubmit } from "../../../common/ui/use";

const LONGEST_TITLE = 200;
/** The server allows so many subtasks of a task. */
const MOST = 100;

/** The subtasks of a task, how many are done, and a way to add one. */
export function Subtasks({ store, task }: { store: Store; task: ShownTask }) {
  useEffect(() => void store.follow.readSubtasks(task.id).catch(() => {}), [task.id]);
  const subtasks = subtasksOf(store.tasks.values(), task.id);
  const done = subtasks.filter(({ status }) => status === "DONE").length;
  const { state: { project }, person } = store;
  const canAdd = mayCreate(project, person.role === "ADMIN") && subtasks.length < MOST;
  if (!subtasks.length && !canAdd) return null;
  return (
    <section class="part" aria-labelledby="subtasks">
      <h3 id="subtasks">Subtasks{subtasks.length > 0 && <span class="count"> {done} of {subtasks.length} done</span>}</h3>
      {subtasks.length > 0 && <progress max={subtasks.length} value={done} aria-labelledby="subtasks" />}
      <ul class="rows">
        {subtasks.map((each) => <Subtask key={each.id} store={store} task={each} />)}
      </ul>
      {canAdd && <NewSubtask store={store} parentId={task.id} />}
    </section>
  );
}

function Subtask({ store, task }: { store: Store; task: ShownTask }) {
  const isDone = task.status === "DONE";
  const next = isDone ? "TODO" : "DONE";
  const canTick = task.viewerCanUpdateStatus && isAllowed(task.status, next);
  return (
    <li>
      <input
        type="checkbox" checked={isDone} disabled={!canTick} aria-label={`“${task.title}” is done`}
        onChange={() => void store.write.move(task.id, next)}
      />
      <button class="quiet what" onClick={() => void store.show(task.id)}>
        <span class="key">{task.key}</span> {task.title}
      </button>
      {!isDone && task.status !== "TODO" && (
        <span class="fine"><StatusIcon status={task.status} /> {STATUS_WORDS[task.status]}</span>
      )}
    </li>
  );
}

function NewSubtask({ store, parentId }: { store: Store; parentId: string }) {
  const [title, setTitle] = useState("");
  const { busy, problem, submit } = useSubmit(() => store.write.createIn("TODO", title.trim(), parentId), () => setTitle(""));
  return (
    <form onSubmit={submit}>
      <div class="line">
        <input
          aria-label="Title of a new subtask" placeholder="New subtask" required maxLength={LONGEST_TITLE} autocomplete="off"
          value={title} onInput={(event) => setTitle(event.currentTarget.value)}
        />
        <button aria-disabled={busy}>Add</button>
      </div>
      <p class="problem" role="alert">{problem}</p>
    </form>
  );
}
