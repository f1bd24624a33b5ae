import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES } from "../board/columns";
import type { ShownTask } from "../board/pending_changes";
import { isAllowed } from "../board/transitions";
import { STATUS_WORDS } from "../board/words";
import { StatusIcon } from "./icons";
import { Menu } from "./Menu";

interface Props {
  readonly task: ShownTask;
  /** What the menu stands beside. */
  readonly anchor: Element;
  readonly onMove: (status: TaskStatus) => void;
  /** One place up (-1) or down (1); null: the order is not manual. */
  readonly onStep: ((step: -1 | 1) => void) | null;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
  readonly onClose: () => void;
}

/** The columns that accept the task, and the one where it is; then its place, and its selection. */
export function MoveMenu({ task, anchor, onMove, onStep, isSelected, onSelect, onClose }: Props) {
  const offered = STATUSES.filter((status) => status === task.status || isAllowed(task.status, status));
  return (
    <Menu label={`Move “${task.title}” to`} anchor={anchor} onClose={onClose}>
      {offered.map((status) => (
        <button
          key={status} role="menuitemradio" aria-checked={status === task.status} tabIndex={-1} onClick={() => onMove(status)}
        >
          <StatusIcon status={status} /> {STATUS_WORDS[status]}
        </button>
      ))}
      <hr />
      {onStep && <button role="menuitem" tabIndex={-1} onClick={() => onStep(-1)}>Move up</button>}
      {onStep && <button role="menuitem" tabIndex={-1} onClick={() => onStep(1)}>Move down</button>}
      <button role="menuitem" tabIndex={-1} onClick={onSelect}>{isSelected ? "Deselect" : "Select"}</button>
    </Menu>
  );
}
