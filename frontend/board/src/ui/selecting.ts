// The selected cards of a board.
import { useEffect, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import type { Columns } from "../board/columns";
import { extended, kept, NOTHING, toggled } from "../board/selection";
import type { Store } from "../board/store";

export function useSelecting(store: Store, shown: Columns) {
  const [selection, setSelection] = useState(NOTHING);
  // Cards that are filtered out, or gone, are not changed unseen.
  const isShown = new Set<string>();
  if (selection.ids.size) for (const column of Object.values(shown)) for (const { id } of column) isShown.add(id);
  const current = kept(selection, (id) => isShown.has(id));
  const clear = () => setSelection(NOTHING);
  useEscape(current.ids.size > 0, clear);

  const select = (id: string, isRange: boolean) => {
    const task = store.tasks.get(id);
    if (!task?.viewerCanUpdateStatus) return store.write.refuseMove();
    const column = shown[task.status].filter((each) => each.viewerCanUpdateStatus).map((each) => each.id);
    setSelection((now) => (isRange ? extended(now, id, column) : toggled(now, id)));
  };
  const move = (status: TaskStatus) => {
    void store.collect.move(current.ids, status);
    clear();
  };
  return { selected: current.ids, select, move, clear };
}

/** Escape, unless a dialog or a text field gets it. */
function useEscape(isActive: boolean, work: () => void): void {
  useEffect(() => {
    if (!isActive) return;
    const press = (event: KeyboardEvent) => {
      const isTaken = (event.target as Element).closest("input:not([type=checkbox]), textarea, select, dialog, [popover]");
      if (event.key === "Escape" && !isTaken && !document.querySelector("dialog[open]")) work();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [isActive]);
}
