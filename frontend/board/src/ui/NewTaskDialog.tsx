import { merged } from "../board/draft";
import { NEW } from "../board/drafts";
import { BLANK } from "../board/fields";
import type { Store } from "../board/store";
import { AssigneeSelect } from "./AssigneeSelect";
import { Dialog } from "./Dialog";
import { Restored } from "./Restored";
import { TaskFields } from "./TaskFields";
import { useSubmit } from "../../../common/ui/use";

export function NewTaskDialog({ store }: { store: Store }) {
  const draft = store.state.drafts.get(NEW);
  const { busy, problem, submit } = useSubmit(() => store.edit.create(), () => store.navigation.close());
  return (
    <Dialog store={store} title="New task" onLeave={() => void store.close()}>
      <form onSubmit={submit}>
        <Restored draft={draft} />
        <TaskFields
          fields={merged(draft, BLANK)} readOnly={false}
          onField={(name, typed, shown) => store.edit.type(NEW, name, typed, shown)}
        />
        <label>
          Assigned to
          <AssigneeSelect
            store={store} projectId={store.state.project?.id ?? null} value={draft?.assignee ?? null} disabled={false}
            onChoose={(assignee) => store.edit.assign(assignee)}
          />
        </label>
        <p class="problem" role="alert">{problem}</p>
        <div class="actions">
          <button type="button" onClick={() => void store.close()}>Cancel</button>
          <button class="primary" aria-disabled={busy}>{busy ? "Creating …" : "Create"}</button>
        </div>
      </form>
    </Dialog>
  );
}
