import { useState } from "preact/hooks";

import { PROJECT_FIELDS, type ProjectFields } from "../board/project_fields";
import type { Store } from "../board/store";
import { Dialog } from "./Dialog";
import { FormProblem } from "../../../common/ui/Field";
import { ProjectInputs } from "./ProjectInputs";
import { useForm } from "../../../common/ui/use";
import { useUnsaved } from "./use";

const BLANK: ProjectFields = { name: "", key: "", description: "" };

/** Creates a project: the viewer becomes its manager, and its board is shown. */
export function NewProjectDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  const [fields, setFields] = useState(BLANK);
  const { busy, problem, submit } = useForm(() => store.team.create(fields), onClose);
  useUnsaved(store, { isUnsaved: () => PROJECT_FIELDS.some((name) => fields[name] !== ""), forget: () => setFields(BLANK) });
  const leave = async () => {
    if (await store.mayLeaveDialog()) onClose();
  };
  return (
    <Dialog store={store} title="New project" kind="box" onLeave={() => void leave()}>
      <form onSubmit={submit}>
        <ProjectInputs
          fields={fields} problem={problem} keyHint="The names of its tasks begin with it, such as WEB-12."
          onField={(name, value) => setFields((before) => ({ ...before, [name]: value }))}
        />
        <FormProblem problem={problem} />
        <div class="actions">
          <button type="button" onClick={() => void leave()}>Cancel</button>
          <button class="primary" aria-disabled={busy}>{busy ? "Creating …" : "Create"}</button>
        </div>
      </form>
    </Dialog>
  );
}
