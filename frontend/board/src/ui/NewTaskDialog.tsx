import { useState } from "preact/hooks";

import { BLANK, differing } from "../board/fields";
import type { Task } from "../board/fold";
import type { Store } from "../board/store";
import { AssigneeSelect } from "./AssigneeSelect";
import { Dialog } from "./Dialog";
import { TaskFields } from "./TaskFields";

export function NewTaskDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  const [fields, setFields] = useState(BLANK);
  const [assignee, setAssignee] = useState<Task["assignee"]>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    const answer = await store.write.create({ ...fields, assigneeId: assignee?.id ?? null });
    setBusy(false);
    if (answer.made) onClose();
    else setProblem(answer.message);
  };

  return (
    <Dialog store={store} title="New task" dirty={differing(BLANK, fields).length > 0} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <TaskFields fields={fields} onFields={setFields} readOnly={false} />
        <label>
          Assigned to
          <AssigneeSelect store={store} value={assignee} disabled={false} onChoose={setAssignee} />
        </label>
        <p class="problem" role="alert">{problem}</p>
        <div class="actions"><button class="primary" disabled={busy}>{busy ? "Creating …" : "Create"}</button></div>
      </form>
    </Dialog>
  );
}
