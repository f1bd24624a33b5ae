// Which card an arrow key leads to.
import { STATUSES } from "../board/columns";
import type { TaskStatus } from "../api/gql/graphql";

/** The card that an element belongs to. */
export function cardOf(element: EventTarget | null): HTMLElement | null {
  return element instanceof Element ? element.closest<HTMLElement>("[data-task]") : null;
}

export function columnOf(element: EventTarget | null): HTMLElement | null {
  return element instanceof Element ? element.closest<HTMLElement>("[data-status]") : null;
}

export function statusOf(element: EventTarget | null): TaskStatus | null {
  return (columnOf(element)?.dataset["status"] as TaskStatus | undefined) ?? null;
}

/** The column to the left (-1) or to the right (1). */
function beside(status: TaskStatus, step: number): TaskStatus | null {
  return STATUSES[STATUSES.indexOf(status) + step] ?? null;
}

/** The card that an arrow key leads to from *card*; null: there is none that way. */
export function towards(card: HTMLElement, key: string): HTMLElement | null {
  const siblings = cardsOf(card.parentElement!);
  const here = siblings.indexOf(card);
  switch (key) {
    case "ArrowDown": return siblings[here + 1] ?? null;
    case "ArrowUp": return siblings[here - 1] ?? null;
    case "Home": return siblings[0] ?? null;
    case "End": return siblings.at(-1) ?? null;
    case "ArrowLeft": return across(card, here, -1);
    case "ArrowRight": return across(card, here, 1);
    default: return null;
  }
}

export function focusCard(card: HTMLElement | null): void {
  card?.querySelector<HTMLElement>(".open")?.focus();
}

export function cardOfTask(id: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-task="${CSS.escape(id)}"]`);
}

/** The tasks of a card and of the others in its column: those below it, then those above it, the nearest first. */
export function nearest(card: HTMLElement): string[] {
  const siblings = cardsOf(card.parentElement!);
  const here = siblings.indexOf(card);
  return [...siblings.slice(here), ...siblings.slice(0, here).reverse()].map((each) => each.dataset["task"]!);
}

/** At the same height, in the next column that has any. */
function across(card: HTMLElement, here: number, step: number): HTMLElement | null {
  for (let status = beside(statusOf(card)!, step); status; status = beside(status, step)) {
    const cards = cardsOf(document.querySelector(`[data-status=${status}]`)!);
    if (cards.length) return cards[Math.min(here, cards.length - 1)]!;
  }
  return null;
}

export function cardsOf(parent: Element): HTMLElement[] {
  return [...parent.querySelectorAll<HTMLElement>("[data-task]")];
}
