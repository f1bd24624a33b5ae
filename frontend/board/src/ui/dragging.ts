// Cards that are dragged to another column with the mouse. Touch and keyboard have the menu.
import { useEffect, useRef, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { cardOf, statusOf } from "./keys";

/** Of a column while a card is dragged: it accepts the card, the card is over it, or it does not accept it. */
export type Drop = "ACCEPTED" | "OVER" | "REFUSED";

interface Dragged {
  readonly id: string;
  readonly from: TaskStatus | null;
  readonly over: TaskStatus | null;
}

/** Handlers for the element that holds the columns, and how each column looks during a drag. */
export function useDragging(
  onMove: (taskId: string, status: TaskStatus) => void, accepts: (taskId: string, status: TaskStatus) => boolean,
) {
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
  const onPointerDown = ({ pointerType }: PointerEvent) => void (isTouch.current = pointerType === "touch");
  const onDragStart = (event: DragEvent) => {
    // On Android a long press starts a drag.
    if (isTouch.current) return event.preventDefault();
    const card = cardOf(event.target);
    if (!card || !event.dataTransfer) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.querySelector(".title")?.textContent ?? "");
    setDragged({ id: card.dataset["task"]!, from: statusOf(card), over: null });
  };
  const onDragOver = (event: DragEvent) => {
    const over = targetOf(event);
    if (over) event.preventDefault(); // it may be dropped here
    setDragged((now) => (now && now.over !== over ? { ...now, over } : now));
  };
  const onDrop = (event: DragEvent) => {
    const status = targetOf(event);
    if (status) {
      event.preventDefault();
      onMove(dragged!.id, status);
    }
    onDragEnd();
  };
  const onDragEnd = () => setDragged(null);
  const dropOf = (status: TaskStatus): Drop | null => {
    if (!dragged || dragged.from === status) return null;
    if (dragged.over === status) return "OVER";
    return accepts(dragged.id, status) ? "ACCEPTED" : "REFUSED";
  };
  return { dropOf, onPointerDown, onDragStart, onDragOver, onDrop, onDragEnd };
}
