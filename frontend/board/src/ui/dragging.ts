// Cards that are dragged to another column with the mouse. Fingers and keys have the menu.
import { useRef, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { cardOf, statusOf } from "./keys";

/** Handlers for what holds the columns, and the column that a card is held over. */
export function useDragging(onMove: (taskId: string, status: TaskStatus) => void) {
  const [over, setOver] = useState<TaskStatus | null>(null);
  const dragged = useRef<string | null>(null);

  const onDragStart = (event: DragEvent) => {
    const card = cardOf(event.target);
    if (!card || !event.dataTransfer) return;
    dragged.current = card.dataset["task"]!;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.querySelector(".title")?.textContent ?? "");
  };
  const onDragOver = (event: DragEvent) => {
    if (dragged.current === null) return;
    const status = statusOf(event.target);
    if (status) event.preventDefault(); // it may be dropped here
    if (status !== over) setOver(status);
  };
  const onDrop = (event: DragEvent) => {
    const status = statusOf(event.target);
    if (status && dragged.current !== null) {
      event.preventDefault();
      onMove(dragged.current, status);
    }
    onDragEnd();
  };
  const onDragEnd = () => {
    dragged.current = null;
    setOver(null);
  };
  return { over, onDragStart, onDragOver, onDrop, onDragEnd };
}
