// Cards that are dragged to another column or place with the mouse. Touch and keyboard have the menu.
import { useEffect, useRef, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import type { Spot } from "../board/ranks";
import { cardOf, cardsOf, columnOf, statusOf } from "./keys";

/** Of a column while a card is dragged: it accepts the card, the card is over it, or it does not accept it. */
export type Drop = "ACCEPTED" | "OVER" | "REFUSED";

interface Dragged {
  readonly id: string;
  readonly from: TaskStatus | null;
  readonly origin: Spot;
  readonly over: TaskStatus | null;
  /** Between which cards it is held, in the manual order. */
  readonly spot: Spot | null;
}

interface Handlers {
  /** Whether cards have places. */
  readonly isManual: boolean;
  /** To this column, and to this place if cards have places; *origin* is where the card was. */
  readonly onMove: (taskId: string, status: TaskStatus, spot: Spot | null, origin: Spot) => void;
  readonly accepts: (taskId: string, status: TaskStatus) => boolean;
}

/** Handlers for the element that holds the columns, and how each column looks during a drag. */
export function useDragging({ isManual, onMove, accepts }: Handlers) {
  const [dragged, setDragged] = useState<Dragged | null>(null);
  const isTouch = useRef(false);

  // A drag that is interrupted has no end, for example if its card is removed. Without a drag the pointer moves again.
  const isDragging = dragged !== null;
  useEffect(() => {
    if (!isDragging) return;
    document.addEventListener("pointermove", onDragEnd);
    return () => document.removeEventListener("pointermove", onDragEnd);
  }, [isDragging]);

  /** The column below the pointer, if the dragged card may be dropped there. */
  const targetOf = (event: DragEvent): TaskStatus | null => {
    const status = statusOf(event.target);
    return dragged && status && accepts(dragged.id, status) ? status : null;
  };
  const spotFor = (event: DragEvent): Spot | null =>
    isManual && dragged ? spotAt(columnOf(event.target)!, event.clientY, dragged.id) : null;
  const onPointerDown = ({ pointerType }: PointerEvent) => void (isTouch.current = pointerType === "touch");
  const onDragStart = (event: DragEvent) => {
    // On Android a long press starts a drag.
    if (isTouch.current) return event.preventDefault();
    const card = cardOf(event.target);
    if (!card || !event.dataTransfer) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.querySelector(".title")?.textContent ?? "");
    setDragged({ id: idOf(card)!, from: statusOf(card), origin: spotNow(card), over: null, spot: null });
  };
  const onDragOver = (event: DragEvent) => {
    const over = targetOf(event);
    if (over) event.preventDefault(); // it may be dropped here
    const spot = over && spotFor(event);
    setDragged((now) => (now && (now.over !== over || !isSameSpot(now.spot, spot)) ? { ...now, over, spot } : now));
  };
  const onDrop = (event: DragEvent) => {
    const status = targetOf(event);
    if (status && dragged) {
      event.preventDefault();
      const spot = spotFor(event);
      const isThere = status === dragged.from && isSameSpot(spot, dragged.origin);
      if (!isThere) onMove(dragged.id, status, spot, dragged.origin);
    }
    onDragEnd();
  };
  const onDragEnd = () => setDragged(null);
  const dropOf = (status: TaskStatus): Drop | null => {
    if (!dragged || dragged.from === status) return null;
    if (dragged.over === status) return "OVER";
    return accepts(dragged.id, status) ? "ACCEPTED" : "REFUSED";
  };
  /** Where the card would be placed in this column. */
  const spotIn = (status: TaskStatus): Spot | null => (dragged?.over === status ? dragged.spot : null);
  return { dropOf, spotIn, onPointerDown, onDragStart, onDragOver, onDrop, onDragEnd };
}

function idOf(card: HTMLElement | undefined): string | null {
  return card?.dataset["task"] ?? null;
}

/** The neighbours of a card as it is drawn. */
function spotNow(card: HTMLElement): Spot {
  const cards = cardsOf(card.parentElement!);
  const here = cards.indexOf(card);
  return { after: idOf(cards[here - 1]), before: idOf(cards[here + 1]) };
}

/** The place at a height of the column, without the dragged card. */
function spotAt(column: Element, y: number, dragged: string): Spot {
  const cards = cardsOf(column).filter((card) => idOf(card) !== dragged);
  const at = cards.findIndex((card) => {
    const { top, height } = card.getBoundingClientRect();
    return y < top + height / 2;
  });
  const next = at < 0 ? cards.length : at;
  return { after: idOf(cards[next - 1]), before: idOf(cards[next]) };
}

function isSameSpot(one: Spot | null, other: Spot | null): boolean {
  return one?.after === other?.after && one?.before === other?.before;
}
