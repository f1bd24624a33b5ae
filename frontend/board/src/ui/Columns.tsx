import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { STATUSES, type Columns as Tasks, type Wanted } from "../board/columns";
import type { Label } from "../board/project";
import type { Spot } from "../board/ranks";
import type { State } from "../board/state";
import type { Progress } from "../board/subtasks";
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
  readonly labels: ReadonlyMap<string, Label>;
  readonly progress: ReadonlyMap<string, Progress> | null;
  readonly selected: ReadonlySet<string>;
  readonly onOpen: (taskId: string) => void;
  /** To this column, and in a manual order to this place; *origin* is where the card was. */
  readonly onMove: (taskId: string, status: TaskStatus, spot: Spot | null, origin: Spot) => void;
  /** One column to the left (-1) or right (1). */
  readonly onStep: (taskId: string, step: -1 | 1) => void;
  /** One place up (-1) or down (1); null: the order is not manual. */
  readonly onPlaceStep: ((taskId: string, step: -1 | 1) => void) | null;
  readonly onMenu: (taskId: string, anchor: Element) => void;
  /** Selects a card or not; a range from the last one, too. */
  readonly onSelect: (taskId: string, isRange: boolean) => void;
  readonly onAdd: ((status: TaskStatus, title: string) => Promise<string | null>) | null;
  /** Whether the task may be moved to this column. */
  readonly accepts: (taskId: string, status: TaskStatus) => boolean;
  /** The menu over them. */
  readonly children: ComponentChildren;
}

/** The four columns, and everything that mouse and keys do to their cards. */
export function Columns(props: Props) {
  const { columns, totals, state, today, wanted, labels, progress, selected, onMove, onAdd, accepts, children } = props;
  const [current, setCurrent] = useState<string | null>(null);
  const isManual = props.onPlaceStep !== null;
  const { dropOf, spotIn, ...dragging } = useDragging({ isManual, onMove, accepts });
  useFocusThatFollows();

  const onKeyDown = (event: KeyboardEvent) => {
    const card = cardOf(event.target);
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (press(props, card, event)) event.preventDefault();
  };
  return (
    <main
      class="columns" aria-label="Board" tabIndex={-1} onKeyDown={onKeyDown} onClick={(event) => click(props, event)}
      onFocusIn={(event) => setCurrent(cardOf(event.target)?.dataset["task"] ?? null)}
      {...dragging}
    >
      {STATUSES.map((status) => (
        <Column
          key={status} status={status} tasks={columns[status]} total={totals?.[status] ?? null}
          wanted={wanted} loaded={state.loaded} touched={state.touched}
          current={current} today={today} drop={dropOf(status)} spot={spotIn(status)} isManual={isManual}
          labels={labels} progress={progress} selected={selected} onAdd={onAdd}
        />
      ))}
      {children}
    </main>
  );
}

/** What a key does to the card that has the focus. Answers whether it does anything. */
function press(props: Props, card: HTMLElement, event: KeyboardEvent): boolean {
  const { key, shiftKey, target } = event;
  const id = card.dataset["task"]!;
  if (shiftKey && (key === "ArrowLeft" || key === "ArrowRight")) return props.onStep(id, key === "ArrowLeft" ? -1 : 1), true;
  if (shiftKey && (key === "ArrowUp" || key === "ArrowDown") && props.onPlaceStep) {
    return props.onPlaceStep(id, key === "ArrowUp" ? -1 : 1), true;
  }
  if (letterOf(event) === "m") return props.onMenu(id, card), true;
  if (letterOf(event) === "x") return props.onSelect(id, false), true;
  if ((key === "Enter" || key === " ") && (target as Element).matches(".open")) return props.onOpen(id), true;
  const next = towards(card, key);
  focusCard(next);
  return next !== null || /^(Arrow|Home|End)/.test(key);
}

function click({ onMenu, onOpen, onSelect }: Props, event: MouseEvent): void {
  const card = cardOf(event.target);
  if (!card) return;
  const id = card.dataset["task"]!;
  const target = event.target as Element;
  const more = target.closest(".more");
  if (more) return onMenu(id, more);
  const isBox = target.matches(".select");
  if (isBox || event.ctrlKey || event.metaKey || event.shiftKey) return onSelect(id, event.shiftKey);
  onOpen(id);
}

/** A card that moves is drawn anew in its other column, and keeps the focus. One that is gone gives it to the next card. */
function useFocusThatFollows(): void {
  const before = focusOf(document.activeElement);
  useLayoutEffect(() => {
    if (before.tasks.length && document.activeElement === document.body) focusNearest(before);
  });
}
