import { useState } from "preact/hooks";

import type { ShownTask } from "../board/pending_changes";
import type { Project } from "../board/project";
import type { Store } from "../board/store";
import { LabelChip } from "./LabelChip";
import { useSubmit } from "./use";

interface Props {
  readonly store: Store;
  readonly project: Project;
  readonly task: ShownTask;
}

/** The labels of the task. Who may change it sets them; managers create labels here. */
export function TaskLabels({ store, project, task }: Props) {
  const set = task.labels?.nodes.map(({ id }) => id) ?? [];
  const shown = project.labels.filter(({ id }) => set.includes(id));
  const toggle = (id: string) => {
    void store.write.setLabels(task.id, set.includes(id) ? set.filter((each) => each !== id) : [...set, id]);
  };
  const canCreate = project.viewerCanManageLabels && !project.isArchived;
  const canSet = task.viewerCanUpdate && (project.labels.length > 0 || canCreate);
  if (!canSet && !shown.length) return null;
  return (
    <section class="part" aria-labelledby="labels">
      <h3 id="labels">Labels</h3>
      <p class="labels">
        {shown.map((label) => <LabelChip key={label.id} label={label} />)}
        {!shown.length && <span class="fine">None</span>}
      </p>
      {canSet && (
        <details>
          <summary>Change labels</summary>
          {project.labels.length > 0 && (
            <div class="choices" role="group" aria-label="Labels of the task">
              {project.labels.map((label) => (
                <label key={label.id} class="choice">
                  <input type="checkbox" checked={set.includes(label.id)} onChange={() => toggle(label.id)} />
                  <LabelChip label={label} />
                </label>
              ))}
            </div>
          )}
          {canCreate && <NewLabel store={store} onCreated={toggle} />}
        </details>
      )}
    </section>
  );
}

const FIRST_COLOR = "#0b6e6e";

function NewLabel({ store, onCreated }: { store: Store; onCreated: (id: string) => void }) {
  const [name, setName] = useState("");
  const [color, setColor] = useState(FIRST_COLOR);
  const { busy, problem, submit } = useSubmit(() => store.team.createLabel(name.trim(), color, onCreated), () => setName(""));
  return (
    <form class="new-label" onSubmit={submit}>
      <div class="line">
        <input
          aria-label="Name of a new label" placeholder="New label" required maxLength={40} autocomplete="off" value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <input
          type="color" aria-label="Color of the new label" value={color}
          onInput={(event) => setColor(event.currentTarget.value)}
        />
        <button aria-disabled={busy}>Create</button>
      </div>
      <p class="problem" role="alert">{problem}</p>
    </form>
  );
}
