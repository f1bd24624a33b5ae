import type { RefObject } from "preact";

import type { Wanted } from "../board/columns";
import type { Store } from "../board/store";
import { Mark } from "../../../common/ui/Mark";
import { Links } from "../../../common/ui/Links";
import type { Panel } from "./panels";
import { ProjectMenu } from "./ProjectMenu";
import { Toolbar } from "./Toolbar";

interface Props {
  readonly store: Store;
  readonly search: RefObject<HTMLInputElement | null>;
  /** On a small screen search, filters and the rest are shown on demand only. */
  readonly expanded: boolean;
  readonly filtered: boolean;
  readonly onExpand: () => void;
  readonly onWanted: (change: (wanted: Wanted) => Wanted) => void;
  /** Null: the viewer may not create tasks here. */
  readonly onNew: (() => void) | null;
  readonly onPanel: (panel: Panel) => void;
  readonly onSignOut: () => void;
}

export function Header({ store, search, expanded, filtered, onExpand, onWanted, onNew, onPanel, onSignOut }: Props) {
  const { person, navigation, projectKey, state: { project } } = store;
  return (
    <header class={expanded ? "top expanded" : "top"}>
      <h1><Mark /> <span class="product">Taskriver</span></h1>
      <ProjectMenu store={store} onPanel={onPanel} />
      <Toolbar
        wanted={navigation.view.wanted} project={projectKey} labels={project?.labels ?? []} search={search} onWanted={onWanted}
      />
      {onNew && <button class="primary new" aria-keyshortcuts="N" onClick={onNew}>New task</button>}
      <button class="expand" aria-expanded={expanded} onClick={onExpand}>{filtered ? "Filtered" : "Filter"}</button>
      <p class="who">
        <Links class="links" />
        <span>{person.username} <small>{person.role.toLowerCase()}</small></span>
        <button class="quiet" onClick={onSignOut}>Sign out</button>
      </p>
    </header>
  );
}
