// Where the focus goes when something closes.
import { cardOf, focusCard } from "./keys";

export interface Place {
  readonly element: Element | null;
  /** The card that it belongs to: a card that moves is drawn anew. */
  readonly task: string | undefined;
}

export function focusOf(element: Element | null, task?: string): Place {
  return { element, task: cardOf(element)?.dataset["task"] ?? task };
}

/** Back to the element, to its card where that is drawn now, or to the board. Not away from another open dialog. */
export function returnFocus(place: Place): void {
  queueMicrotask(() => {
    if (document.querySelector("dialog:modal")?.contains(document.activeElement) || focusAgain(place)) return;
    const { task } = place;
    const card = task && document.querySelector<HTMLElement>(`[data-task="${CSS.escape(task)}"]`);
    if (card) focusCard(card);
    else document.querySelector<HTMLElement>("main")?.focus();
  });
}

/** Back to the element, if it is still there. */
export function focusAgain({ element }: Place): boolean {
  if (!(element instanceof HTMLElement) || element === document.body || !element.isConnected) return false;
  element.focus();
  return true;
}
