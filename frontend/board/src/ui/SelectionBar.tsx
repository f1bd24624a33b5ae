import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES } from "../board/columns";
import { STATUS_WORDS } from "../board/words";
import { StatusIcon } from "./icons";

interface Props {
  readonly count: number;
  readonly onMove: (status: TaskStatus) => void;
  readonly onClear: () => void;
}

/** What can be done with the selected cards. */
export function SelectionBar({ count, onMove, onClear }: Props) {
  if (!count) return null;
  return (
    <section class="selection" aria-label="Selected tasks">
      <b role="status">{count} selected</b>
      <span class="fine">Move to</span>
      {STATUSES.map((status) => (
        <button key={status} onClick={() => onMove(status)}><StatusIcon status={status} /> {STATUS_WORDS[status]}</button>
      ))}
      <button class="quiet" aria-keyshortcuts="Escape" onClick={onClear}>Clear</button>
    </section>
  );
}
