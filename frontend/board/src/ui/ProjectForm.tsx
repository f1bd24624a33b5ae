import { mergeEdit } from "../board/edit";
import type { Project } from "../board/project";
import { PROJECT_WORDS, projectFieldsOf } from "../board/project_fields";
import type { Store } from "../board/store";
import { Conflicts } from "./Conflicts";
import { FormProblem } from "../../../common/ui/Field";
import { ProjectInputs } from "./ProjectInputs";
import { Restored } from "./Restored";
import { useForm } from "../../../common/ui/use";

interface Props {
  readonly store: Store;
  readonly project: Project;
  readonly canUpdate: boolean;
  readonly onSaved: () => void;
}

/** The fields that are saved together. What others save is shown where the writer changed nothing. */
export function ProjectForm({ store, project, canUpdate, onSaved }: Props) {
  const { settings } = store;
  const { busy, problem, submit } = useForm(
    () => settings.save(),
    () => {
      store.notice("DONE", "The settings are saved.");
      if (!settings.isUnsaved) onSaved();
    },
  );
  const theirs = projectFieldsOf(project), { edit, isUnsaved } = settings;
  const { merged, conflicts } = mergeEdit(edit, theirs);
  const undecided = busy ? [] : conflicts;
  return (
    <form onSubmit={submit}>
      <Restored draft={edit} />
      <ProjectInputs
        fields={merged} problem={problem} readOnly={!canUpdate}
        keyHint={`With another key, the address of this board and the names of its tasks change. Links with ${project.key} still lead here, and no other project can take it.`}
        onField={(name, value) => settings.type(name, value)}
      />
      <Conflicts
        names={undecided} words={PROJECT_WORDS} mine={(name) => merged[name]} theirs={(name) => theirs[name]}
        onDecide={(name, choice) => settings.decide(name, choice)}
      />
      {isUnsaved && !canUpdate && (
        <p class="problem">
          {project.isArchived ? "The project is archived: reopen it, then save." : "You may no longer change this project. Copy your text if you need it."}
        </p>
      )}
      <FormProblem problem={undecided.length || isUnsaved ? problem : null} />
      {canUpdate && (
        <div class="actions">
          <span class="fine">version {project.version}</span>
          <button class="primary" disabled={!busy && !isUnsaved} aria-disabled={busy}>{busy ? "Saving …" : "Save"}</button>
        </div>
      )}
    </form>
  );
}
