import type { Label } from "../board/project";
import type { Touch } from "../board/state";
import type { ShownTask } from "../board/pending_changes";
import { PRIORITY_WORDS } from "../board/words";
import { CommentIcon, DotsIcon, LockIcon, SubtasksIcon } from "./icons";
import { LabelChip } from "./LabelChip";
import { memo } from "./memo";
import { day, exactly } from "../../../common/ui/times";

interface Props {
  readonly task: ShownTask;
  readonly touch: Touch | undefined;
  /** Whether Tab leads to it; the arrow keys lead on from there. */
  readonly tabbable: boolean;
  /** The day, so that what is overdue becomes so. */
  readonly today: number;
  /** The labels of the project, by id. */
  readonly labels: ReadonlyMap<string, Label>;
  /** How many subtasks it has, and how many of them are done. */
  readonly subtasks: number;
  readonly done: number;
  /** Whether it is selected; null: no card is. */
  readonly selected: boolean | null;
  /** Whether a dragged card would be placed before it. */
  readonly marked: boolean;
  readonly isManual: boolean;
}

const KEYS = "Enter M X Shift+ArrowLeft Shift+ArrowRight";

/** One task in its column. Events are handled by the columns. */
export const Card = memo(({ task, touch, tabbable, today, labels, subtasks, done, selected, marked, isManual }: Props) => {
  const movable = task.viewerCanUpdateStatus;
  const classes = [
    "card", task.priority, task.pending && "pending", touch && "touched", selected && "selected", marked && "insert",
  ].filter(Boolean).join(" ");
  const shown = task.labels?.nodes.flatMap(({ id }) => labels.get(id) ?? []) ?? [];
  const keys = isManual ? `${KEYS} Shift+ArrowUp Shift+ArrowDown` : KEYS;
  return (
    <li class={classes} draggable={movable} data-task={task.id}>
      <div
        class="open" role="button" tabIndex={tabbable ? 0 : -1} aria-haspopup="dialog" aria-keyshortcuts={movable ? keys : "Enter"}
      >
        {task.key && <span class="key">{task.key}</span>}
        <span class="title">{task.title}</span>
        {shown.length > 0 && <span class="labels">{shown.map((label) => <LabelChip key={label.id} label={label} />)}</span>}
        <span class="facts">
          {task.priority !== "MEDIUM" && <span class={`priority ${task.priority}`}>{PRIORITY_WORDS[task.priority]}</span>}
          {task.dueAt && <Due task={task} dueAt={task.dueAt} today={today} />}
          {subtasks > 0 && <Subtasks done={done} all={subtasks} />}
          {task.commentCount > 0 && <Comments count={task.commentCount} />}
          {!movable && <span class="reading"><LockIcon /> read only</span>}
          {touch && <span class="touch">{touch.by} {touch.what}</span>}
        </span>
        {task.assignee && <Avatar name={task.assignee.username} />}
      </div>
      {movable && selected !== null && (
        <input
          type="checkbox" class="select" checked={selected} aria-label={`Select “${task.title}”`} tabIndex={tabbable ? 0 : -1}
        />
      )}
      {movable && (
        <button class="more" tabIndex={tabbable ? 0 : -1} aria-haspopup="menu" aria-label={`Move “${task.title}”`}>
          <DotsIcon />
        </button>
      )}
    </li>
  );
});

function Subtasks({ done, all }: { done: number; all: number }) {
  return (
    <span class="fact">
      <SubtasksIcon /> <span aria-hidden="true">{done}/{all}</span>
      <span class="visually-hidden">{done} of {all} subtasks done</span>
    </span>
  );
}

function Comments({ count }: { count: number }) {
  return (
    <span class="fact">
      <CommentIcon /> {count}<span class="visually-hidden"> {count === 1 ? "comment" : "comments"}</span>
    </span>
  );
}

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
