import type { Touch } from "../board/state";
import type { ShownTask } from "../board/pending_changes";
import { PRIORITY_WORDS } from "../board/words";
import { DotsIcon, LockIcon } from "./icons";
import { memo } from "./memo";
import { day, exactly } from "./times";

interface Props {
  readonly task: ShownTask;
  readonly touch: Touch | undefined;
  /** Whether Tab leads to it; the arrow keys lead on from there. */
  readonly tabbable: boolean;
  /** The day, so that what is overdue becomes so. */
  readonly today: number;
}

/** One task in its column. Events are handled by the columns. */
export const Card = memo(({ task, touch, tabbable, today }: Props) => {
  const classes = ["card", task.priority, task.pending && "pending", touch && "touched"].filter(Boolean).join(" ");
  return (
    <li class={classes} draggable={task.viewerCanUpdateStatus} data-task={task.id}>
      <div
        class="open" role="button" tabIndex={tabbable ? 0 : -1}
        aria-haspopup="dialog"
        aria-keyshortcuts={task.viewerCanUpdateStatus ? "Enter M Shift+ArrowLeft Shift+ArrowRight" : "Enter"}
      >
        <span class="title">{task.title}</span>
        <span class="facts">
          {task.priority !== "MEDIUM" && <span class={`priority ${task.priority}`}>{PRIORITY_WORDS[task.priority]}</span>}
          {task.dueAt && <Due task={task} dueAt={task.dueAt} today={today} />}
          {!task.viewerCanUpdateStatus && <span class="reading"><LockIcon /> read only</span>}
          {touch && <span class="touch">{touch.by} {touch.what}</span>}
        </span>
        {task.assignee && <Avatar name={task.assignee.username} />}
      </div>
      {task.viewerCanUpdateStatus && (
        <button class="more" tabIndex={tabbable ? 0 : -1} aria-haspopup="menu" aria-label={`Move “${task.title}”`}>
          <DotsIcon />
        </button>
      )}
    </li>
  );
});

function Due({ task, dueAt, today }: { task: ShownTask; dueAt: string; today: number }) {
  const open = task.status === "TODO" || task.status === "IN_PROGRESS";
  const late = open && Date.parse(dueAt) < today;
  return (
    <time class={late ? "due late" : "due"} dateTime={dueAt} title={`Due ${exactly(dueAt)}`}>
      {late ? "overdue since" : "due"} {day(dueAt, today)}
    </time>
  );
}

const HUES = 12;

/** The initials of the assignee; the colour is always the same for a name. */
function Avatar({ name }: { name: string }) {
  const hue = [...name].reduce((sum, each) => (sum * 31 + each.charCodeAt(0)) % 997, 7) % HUES;
  return (
    <span class={`avatar hue-${hue}`} role="img" aria-label={`assigned to ${name}`} title={`Assigned to ${name}`}>
      {name.slice(0, 2)}
    </span>
  );
}
