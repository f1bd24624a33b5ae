import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES, type Columns as Tasks } from "../board/columns";
import type { State } from "../board/state";
import { Column } from "./Column";
import { useDragging } from "./dragging";
import { beside, cardOf, focusCard, statusOf, towards } from "./keys";

interface Props {
  readonly columns: Tasks;
  readonly totals: Readonly<Record<TaskStatus, number>> | null;
  readonly state: State;
  readonly today: number;
  readonly onOpen: (taskId: string) => void;
  readonly onMove: (taskId: string, status: TaskStatus) => void;
  readonly onMenu: (taskId: string, anchor: Element) => void;
  /** What stands over them. */
  readonly children: ComponentChildren;
}

/** The four columns, and everything that mouse and keys do to their cards. */
export function Columns({ columns, totals, state, today, onOpen, onMove, onMenu, children }: Props) {
  const [current, setCurrent] = useState<string | null>(null);
  const { over, ...dragging } = useDragging(onMove);
  useFocusThatFollows();

  const onKeyDown = (event: KeyboardEvent) => {
    const card = cardOf(event.target);
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (act(card, event)) event.preventDefault();
  };
  const act = (card: HTMLElement, { key, shiftKey, target }: KeyboardEvent): boolean => {
    const id = card.dataset["task"]!;
    if (shiftKey && (key === "ArrowLeft" || key === "ArrowRight")) {
      const status = beside(statusOf(card)!, key === "ArrowLeft" ? -1 : 1);
      if (status) onMove(id, status);
      return true;
    }
    if (key === "m") return onMenu(id, card), true;
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
      class="columns" data-over={over ?? undefined} aria-label="Board" onKeyDown={onKeyDown} onClick={onClick}
      onFocusIn={(event) => setCurrent(cardOf(event.target)?.dataset["task"] ?? null)}
      {...dragging}
    >
      {STATUSES.map((status) => (
        <Column
          key={status} status={status} tasks={columns[status]} total={totals?.[status] ?? null}
          wanted={state.wanted} loaded={state.loaded} touched={state.touched}
          current={current} today={today}
        />
      ))}
      {children}
    </main>
  );
}

/** A card that moves is drawn anew in its other column; whoever had the focus on it has it there. */
function useFocusThatFollows(): void {
  const before = cardOf(document.activeElement);
  useLayoutEffect(() => {
    const id = before?.dataset["task"];
    if (!id || document.activeElement !== document.body) return;
    const after = document.querySelector<HTMLElement>(`[data-task="${CSS.escape(id)}"]`);
    if (after) focusCard(after);
  });
}
