import { useEffect, useRef, useState } from "preact/hooks";

import { hasSettings, type ProjectEntry } from "../board/project";
import type { Store } from "../board/store";
import { ChevronIcon } from "./icons";
import { Menu } from "./Menu";
import type { Panel } from "./panels";

interface Props {
  readonly store: Store;
  readonly onPanel: (panel: Panel) => void;
}

/** Which board is shown, the others, and what can be done with the project. */
export function ProjectMenu({ store, onPanel }: Props) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (store.navigation.arrival) button.current!.focus();
    store.navigation.arrival = null;
  }, []);
  const { state: { project }, projectKey } = store;
  const open = () => {
    setOpen(true);
    void store.follow.readProjects(); // the viewer may have joined other projects since
  };
  const show = (key: string | null) => {
    if (key !== projectKey) store.navigation.switchTo(key);
  };
  return (
    <>
      <button
        ref={button} class="project" aria-haspopup="menu" aria-expanded={isOpen}
        aria-label={`Board: ${projectKey === null ? "All tasks" : `${projectKey} ${project?.name ?? ""}`}`}
        onClick={open}
      >
        {projectKey !== null && <><b>{projectKey}</b>{" "}</>}
        <span class="name">{projectKey === null ? "All tasks" : project?.name}</span>
        <ChevronIcon />
      </button>
      {isOpen && (
        <Menu label="Boards" anchor={button.current!} onClose={() => setOpen(false)}>
          <Entries store={store} onShow={show} />
          <hr />
          <Actions store={store} onPanel={onPanel} />
        </Menu>
      )}
    </>
  );
}

function Entries({ store, onShow }: { store: Store; onShow: (key: string | null) => void }) {
  const { state: { projects, project }, projectKey } = store;
  // The present one, too, if it is not among the listed.
  const listed = projects ?? (project ? [project] : []);
  const others = project && !listed.some(({ id }) => id === project.id) ? [project, ...listed] : listed;
  return (
    <>
      <button role="menuitemradio" aria-checked={projectKey === null} tabIndex={-1} onClick={() => onShow(null)}>All tasks</button>
      {[...others].sort(activeFirst).map(({ id, key, name, isArchived }) => (
        <button key={id} role="menuitemradio" aria-checked={key === projectKey} tabIndex={-1} onClick={() => onShow(key)}>
          <b>{key}</b> <span class="name">{name}</span>
          {isArchived && <small>archived</small>}
        </button>
      ))}
    </>
  );
}

function activeFirst(one: ProjectEntry, other: ProjectEntry): number {
  return Number(one.isArchived) - Number(other.isArchived) || (one.key < other.key ? -1 : 1);
}

function Actions({ store, onPanel }: Props) {
  const { state, projectKey } = store;
  const project = state.missing ? null : state.project;
  return (
    <>
      {project && <button role="menuitem" tabIndex={-1} onClick={() => onPanel("MEMBERS")}>Members …</button>}
      {project?.viewerCanManageLabels && (
        <button role="menuitem" tabIndex={-1} onClick={() => onPanel("LABELS")}>Labels …</button>
      )}
      {project && hasSettings(project) && (
        <button role="menuitem" tabIndex={-1} onClick={() => onPanel("SETTINGS")}>Settings …</button>
      )}
      {(projectKey === null || project?.viewerCanManageMembers) && (
        <button role="menuitem" tabIndex={-1} onClick={() => onPanel("TRASH")}>Trash …</button>
      )}
      {project?.viewerCanArchive && (
        <button role="menuitem" tabIndex={-1} onClick={() => void store.team.archive(!project.isArchived)}>
          {project.isArchived ? "Reopen project" : "Archive project …"}
        </button>
      )}
      {state.canCreateProjects && (
        <button role="menuitem" tabIndex={-1} onClick={() => onPanel("PROJECT")}>New project …</button>
      )}
    </>
  );
}
