import type { Project } from "../board/project";
import type { Store } from "../board/store";
import { DeleteProject } from "./DeleteProject";
import { Dialog } from "./Dialog";
import { GoneNote } from "./GoneNote";
import { ProjectForm } from "./ProjectForm";
import { useUnsaved } from "./use";

/** What the project is called, whether it is archived, and its deletion: each for those who may change it. */
export function SettingsDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  const { settings } = store;
  useUnsaved(store, { isUnsaved: () => settings.isUnsaved, forget: () => settings.forget() });
  const leave = async () => {
    if (await store.mayLeaveDialog()) onClose();
  };
  const { missing } = store.state;
  const project = store.state.project!;
  const isThere = !missing || settings.isDeleting;
  return (
    <Dialog store={store} title={`Settings of ${project.key}`} onLeave={() => void leave()}>
      <GoneNote store={store} />
      {(isThere || settings.isUnsaved) && (
        <ProjectForm store={store} project={project} canUpdate={isThere && project.viewerCanUpdate} onSaved={onClose} />
      )}
      {isThere && project.viewerCanArchive && <Archive store={store} project={project} />}
      {isThere && project.viewerCanDelete && <DeleteProject store={store} project={project} />}
    </Dialog>
  );
}

function Archive({ store, project: { key, isArchived } }: { store: Store; project: Project }) {
  return (
    <section class="part" aria-labelledby="archive">
      <h3 id="archive">{isArchived ? "Reopen" : "Archive"}</h3>
      <p class="fine">
        {isArchived
          ? "This project is archived: everything in it can be read, but not changed."
          : "Everything in an archived project can be read, but not changed. A manager can reopen it."}
      </p>
      <div class="actions">
        <button onClick={() => void store.team.archive(!isArchived)}>{isArchived ? `Reopen ${key}` : `Archive ${key} …`}</button>
      </div>
    </section>
  );
}
