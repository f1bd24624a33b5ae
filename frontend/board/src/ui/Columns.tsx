import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES, type Columns as Tasks, type Wanted } from "../board/columns";
import type { State } from "../board/state";
import { Column } from "./Column";
import { useDragging } from "./dragging";
import { focusNearest, focusOf } from "./focus";
import { cardOf, focusCard, towards } from "./keys";
import { letterOf } from "./use";

interface Props {
  readonly columns: Tasks;
  readonly totals: Readonly<Record<TaskStatus, number>> | null;
  readonly state: State;
  readonly today: number;
  readonly wanted: Wanted;
  readonly onOpen: (taskId: string) => void;
  /** To this column. */
  readonly onMove: (taskId: string, status: TaskStatus) => void;
  /** One column to the left (-1) or right (1). */
  readonly onStep: (taskId: string, step: -1 | 1) => void;
  readonly onMenu: (taskId: string, anchor: Element) => void;
  /** Whether the task may be moved to this column. */
  readonly accepts: (taskId: string, status: TaskStatus) => boolean;
  /** The menu over them. */
  readonly children: ComponentChildren;
}

/** The four columns, and everything that mouse and keys do to their cards. */
export function Columns(props: Props) {
  const { columns, totals, state, today, wanted, onOpen, onMove, onStep, onMenu, accepts, children } = props;
  const [current, setCurrent] = useState<string | null>(null);
  const { dropOf, ...dragging } = useDragging(onMove, accepts);
  useFocusThatFollows();

  const onKeyDown = (event: KeyboardEvent) => {
    const card = cardOf(event.target);
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (act(card, event)) event.preventDefault();
  };
  const act = (card: HTMLElement, event: KeyboardEvent): boolean => {
    const { key, shiftKey, target } = event;
    const id = card.dataset["task"]!;
    if (shiftKey && (key === "ArrowLeft" || key === "ArrowRight")) {
      onStep(id, key === "ArrowLeft" ? -1 : 1);
      return true;
    }
    if (letterOf(event) === "m") return onMenu(id, card), true;
    if ((key === "Enter" || key === " ") && (target as Element).matches(".open")) return onOpen(id), true;
    const next = towards(card, key);
    focusCard(next);
    return next !== null || /^(Arrow|Home|End)/.test(key);
  };
  const onClick = (event: MouseEvent) => {
    const card = cardOf(event.target);
    if (!card) return;
    const more = (event.target as Element).closest(".more");
    if (more) onMenu(card.dataset["task"]!, more);
    else onOpen(card.dataset["task"]!);
  };
  return (
    <main
      class="columns" aria-label="Board" tabIndex={-1} onKeyDown={onKeyDown} onClick={onClick}
      onFocusIn={(event) => setCurrent(cardOf(event.target)?.dataset["task"] ?? null)}
      {...dragging}
    >
      {STATUSES.map((status) => (
        <Column
          key={status} status={status} tasks={columns[status]} total={totals?.[status] ?? null}
          wanted={wanted} loaded={state.loaded} touched={state.touched}
          current={current} today={today} drop={dropOf(status)}
        />
      ))}
      {children}
    </main>
  );
}

/** A card that moves is drawn anew in its other column, and keeps the focus. One that is gone gives it to the next card. */
function useFocusThatFollows(): void {
  const before = focusOf(document.activeElement);
  useLayoutEffect(() => {
    if (before.tasks.length && document.activeElement === document.body) focusNearest(before);
  });
}
