import { useState } from "preact/hooks";

import type { Store } from "../board/store";
import { Dialog } from "./Dialog";
import { useSubmit } from "./use";

/** Creates a project: the viewer becomes its manager, and its board is shown. */
export function NewProjectDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  const [key, setKey] = useState("");
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const { busy, problem, submit } = useSubmit(() => store.team.create({ key, name, description }), onClose);
  return (
    <Dialog store={store} title="New project" kind="box" onLeave={onClose}>
      <form onSubmit={submit}>
        <label>
          Name
          <input
            name="name" required maxLength={100} autocomplete="off" data-focus value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          Key, such as WEB
          <input
            name="key" required pattern="[A-Za-z][A-Za-z0-9]{1,9}" maxLength={10} autocomplete="off" spellcheck={false}
            title="2 to 10 letters and digits; the first is a letter." value={key}
            onInput={(event) => setKey(event.currentTarget.value.toUpperCase())}
          />
        </label>
        <label>
          Description
          <textarea
            name="description" rows={3} maxLength={10_000} value={description}
            onInput={(event) => setDescription(event.currentTarget.value)}
          />
        </label>
        <p class="problem" role="alert">{problem}</p>
        <div class="actions">
          <button type="button" onClick={onClose}>Cancel</button>
          <button class="primary" aria-disabled={busy}>{busy ? "Creating …" : "Create"}</button>
        </div>
      </form>
    </Dialog>
  );
}
