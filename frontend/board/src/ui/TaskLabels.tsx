import type { ShownTask } from "../board/pending_changes";
import type { Project } from "../board/project";
import type { Store } from "../board/store";
import { LabelChip } from "./LabelChip";
import { NewLabel } from "./NewLabel";

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
          {canCreate && <NewLabel store={store} word="Create" onCreated={toggle} />}
        </details>
      )}
    </section>
  );
}
