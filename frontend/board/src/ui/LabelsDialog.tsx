import { useMemo } from "preact/hooks";

import { usesOfLabels } from "../board/labels";
import type { Label } from "../board/project";
import type { Store } from "../board/store";
import { Dialog } from "./Dialog";
import { EditLabel } from "./EditLabel";
import { GoneNote } from "./GoneNote";
import { LabelChip } from "./LabelChip";
import { useLabelEditing } from "./label_editing";
import { useListFocus } from "./list_focus";
import { NewLabel } from "./NewLabel";

/** The labels of the project. Managers create, change and delete them; what others do to them is seen here, too. */
export function LabelsDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  const { project, missing, partial, board } = store.state;
  const uses = useMemo(() => (partial ? null : usesOfLabels(board)), [partial, board]);
  const labels = project?.labels ?? [];
  const canManage = !missing && !!project?.viewerCanManageLabels;
  const editing = useLabelEditing(store, canManage);
  // A label that is deleted while it is edited stays, so that nothing that was typed is lost.
  const listed = editing.isDeleted ? [editing.label!, ...labels] : labels;
  const list = useListFocus();
  const leave = async () => {
    if (await store.mayLeaveDialog()) onClose();
  };
  return (
    <Dialog store={store} title={`Labels of ${project?.key ?? ""}`} onLeave={() => void leave()}>
      <GoneNote store={store} />
      {!canManage && !missing && <p class="note" role="status">You may no longer change the labels of this project.</p>}
      {canManage && (
        <NewLabel store={store} word="Create label" />
      )}
      {labels.length === 0 && <p class="empty">This project has no labels.</p>}
      <ul class="rows editable" ref={list}>
        {listed.map((label) => (
          <li key={label.id} data-row={label.id}>
            {canManage && label.id === editing.label?.id
              ? <EditLabel editing={editing} />
              : (
                <Row
                  store={store} label={label} count={uses && (uses.get(label.id) ?? 0)} canManage={canManage}
                  onEdit={() => void editing.start(label)}
                />
              )}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface RowProps {
  readonly store: Store;
  readonly label: Label;
  /** How many tasks have it; null: the board does not hold all tasks. */
  readonly count: number | null;
  readonly canManage: boolean;
  readonly onEdit: () => void;
}

function Row({ store, label, count, canManage, onEdit }: RowProps) {
  return (
    <>
      <span class="what">
        <LabelChip label={label} />
        {count !== null && <small>{count === 1 ? "1 task" : `${count.toLocaleString("en")} tasks`}</small>}
      </span>
      {canManage && <button aria-label={`Edit the label “${label.name}”`} onClick={onEdit}>Edit</button>}
      {canManage && (
        <button class="danger" aria-label={`Delete the label “${label.name}”`} onClick={() => void store.labels.remove(label)}>
          Delete
        </button>
      )}
    </>
  );
}
