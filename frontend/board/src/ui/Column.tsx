import { useEffect, useRef, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { isFiltered, type Wanted } from "../board/columns";
import type { Label } from "../board/project";
import type { Spot } from "../board/ranks";
import type { Progress } from "../board/subtasks";
import type { ShownTask } from "../board/pending_changes";
import type { Touch } from "../board/state";
import { STATUS_WORDS } from "../board/words";
import { Card } from "./Card";
import type { Drop } from "./dragging";
import { StatusIcon } from "./icons";
import { memo } from "./memo";
import { QuickAdd } from "./QuickAdd";

/** So many cards are drawn at first, and so many more whenever the end of them comes near. */
const STEP = 40;

interface Props {
  readonly status: TaskStatus;
  readonly tasks: readonly ShownTask[];
  /** How many there are in all, without the filter; null: not known yet. */
  readonly total: number | null;
  readonly wanted: Wanted;
  readonly loaded: boolean;
  readonly touched: ReadonlyMap<string, Touch>;
  /** The card that Tab leads to, if it is one of these. */
  readonly current: string | null;
  readonly today: number;
  /** Whether a card that is being dragged may be dropped here, and is held over it. */
  readonly drop: Drop | null;
  /** Between which cards a dragged one would be placed. */
  readonly spot: Spot | null;
  readonly isManual: boolean;
  readonly labels: ReadonlyMap<string, Label>;
  /** Of the tasks with subtasks; null: not all tasks are held, so the server's numbers count. */
  readonly progress: ReadonlyMap<string, Progress> | null;
  readonly selected: ReadonlySet<string>;
  /** Creates a task in the column: answers what is wrong, or null. Null: the viewer may not. */
  readonly onAdd: ((status: TaskStatus, title: string) => Promise<string | null>) | null;
}

export const Column = memo((props: Props) => {
  const { status, tasks, total, wanted, loaded, touched, current, today } = props;
  const { drop, spot, isManual, labels, progress, selected, onAdd } = props;
  const [most, showMore] = useMost(wanted);
  const filtered = isFiltered(wanted);
  const shown = tasks.length > most ? tasks.slice(0, most) : tasks;
  const tabbable = shown.some(({ id }) => id === current) ? current : shown[0]?.id;
  const name = STATUS_WORDS[status];
  const all = total?.toLocaleString("en") ?? "…";
  const count = filtered ? `${tasks.length} of ${all}` : all;
  return (
    <section class="column" data-status={status} data-drop={drop ?? undefined} aria-labelledby={`heading-${status}`}>
      <h2 id={`heading-${status}`} tabIndex={-1}>
        <StatusIcon status={status} />
        <span aria-hidden="true">{name}</span>
        <span class="visually-hidden">{name}: {count} {count === "1" ? "task" : "tasks"}</span>
        <span class="count" aria-hidden="true">{count}</span>
      </h2>
      {drop === "REFUSED" && <p class="refuses" aria-hidden="true">Cannot be moved here</p>}
      <div class="scroller">
        {tasks.length > 0 && (
          <ul aria-label={name} class={spot && spot.before === null ? "insert-last" : undefined}>
            {shown.map((task) => (
              <Card
                key={task.id} task={task} touch={touched.get(task.id)} tabbable={task.id === tabbable} today={today}
                labels={labels} isManual={isManual} marked={spot?.before === task.id}
                subtasks={progress ? (progress.get(task.id)?.all ?? 0) : task.subtaskCount}
                done={progress ? (progress.get(task.id)?.done ?? 0) : task.doneSubtaskCount}
                selected={selected.size ? selected.has(task.id) : null}
              />
            ))}
          </ul>
        )}
        {tasks.length > most && <More rest={tasks.length - most} onMore={showMore} />}
        {!tasks.length && loaded && <p class="empty">{filtered ? "Nothing matches." : EMPTY[status]}</p>}
      </div>
      {onAdd && <QuickAdd name={name} onAdd={(title) => onAdd(status, title)} />}
    </section>
  );
});

/** How many cards are drawn, and a way to draw more: few again when others are wanted. */
function useMost(wanted: Wanted): [number, () => void] {
  const [{ most, of }, set] = useState({ most: STEP, of: wanted });
  const more = () => set((now) => ({ most: (now.of === wanted ? now.most : STEP) + STEP, of: wanted }));
  return [of === wanted ? most : STEP, more];
}

/** Asks for more as soon as it comes near; pressing it does, too. */
function More({ rest, onMore }: { rest: number; onMore: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const root = button.current!.closest(".scroller");
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && onMore(),
      { root, rootMargin: "800px" },
    );
    observer.observe(button.current!);
    return () => observer.disconnect();
  });
  return <button ref={button} class="show-more" onClick={onMore}>Show more ({rest})</button>;
}

const EMPTY: Readonly<Record<TaskStatus, string>> = {
  TODO: "No tasks to do.",
  IN_PROGRESS: "No tasks in progress.",
  DONE: "No tasks done yet.",
  CANCELLED: "No cancelled tasks.",
};
