// Where the focus goes when something closes.
import { focusAgain } from "../../../common/ui/modal";
import { cardOf, cardOfTask, focusCard, nearest } from "./keys";

export interface Place {
  readonly element: Element | null;
  /** The task of its card, and those of the cards beside it, the nearest first: a card that moves is drawn anew, or is gone. */
  readonly tasks: readonly string[];
}

export function focusOf(element: EventTarget | null, task?: string): Place {
  const card = cardOf(element) ?? (task === undefined ? null : cardOfTask(task));
  return { element: element instanceof Element ? element : null, tasks: card ? nearest(card) : [] };
}

/** Back to the element, to its card where that is drawn now, to the next card, or to the board. Not away from an open dialog. */
export function returnFocus(place: Place): void {
  queueMicrotask(() => {
    const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
    if (dialog?.contains(document.activeElement) || focusAgain(place.element)) return;
    if (dialog) dialog.querySelector<HTMLElement>("[data-focus], h2")?.focus();
    else focusNearest(place);
  });
}

/** To the first of the cards that is drawn, or to the board. */
export function focusNearest({ tasks }: Place): void {
  for (const task of tasks) {
    const card = cardOfTask(task);
    if (card) return focusCard(card);
  }
  document.querySelector<HTMLElement>("main")?.focus();
}
