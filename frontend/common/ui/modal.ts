// Modal dialogs that only the page closes.
import { type RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** The open dialogs. The last one lies above the others and gets the keys. */
const opened: HTMLDialogElement[] = [];

interface Modal<Place> {
  /** The viewer asks to close it: by Escape, a click beside it, or a gesture of the system. */
  readonly onDismiss: () => void;
  /** Where the focus is before the dialog opens. */
  readonly opener: () => Place;
  /** The dialog is gone. */
  readonly onGone: (opener: Place) => void;
}

/** The element that has the focus. */
export const focused = (): Element | null => document.activeElement;

/** Back to the element, if it is still there. */
export function focusAgain(element: Element | null): boolean {
  if (!(element instanceof HTMLElement) || element === document.body || !element.isConnected) return false;
  element.focus();
  return true;
}

/**
 * Shows the dialog of the returned reference for as long as it is drawn. The focus begins at the element with
 * `data-focus`, else at the heading.
 *
 * The browser's own closing is switched off (`closedby`), since it does not always ask: after one request that the page
 * refuses, the next one closes the dialog and those above it at once, unless the viewer has clicked or typed in between.
 */
export function useModal<Place>({ onDismiss, opener: place, onGone }: Modal<Place>): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  const dismiss = useRef(onDismiss);
  dismiss.current = onDismiss;
  useLayoutEffect(() => {
    const element = dialog.current!;
    const opener = place();
    const forget = listen(element, () => dismiss.current());
    element.setAttribute("closedby", "none");
    element.showModal();
    opened.push(element);
    (element.querySelector<HTMLElement>("[data-focus]") ?? element.querySelector("h2"))?.focus();
    return () => {
      forget();
      opened.splice(opened.indexOf(element), 1);
      onGone(opener);
    };
  }, []);
  return dialog;
}

function listen(dialog: HTMLDialogElement, dismiss: () => void): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  // On the document: a dialog sees no keys while the focus is on the body.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || opened.at(-1) !== dialog) return;
    event.preventDefault();
    dismiss();
  };
  document.addEventListener("keydown", onKeyDown, { signal });
  dialog.addEventListener("mousedown", (event) => event.target === dialog && dismiss(), { signal });
  // A browser that does not know `closedby` asks first, and may close it without asking.
  dialog.addEventListener("cancel", (event) => {
    if (event.target !== dialog) return; // of a file input in the dialog
    event.preventDefault();
    dismiss();
  }, { signal });
  dialog.addEventListener("close", () => {
    dialog.showModal();
    dismiss();
  }, { signal });
  return () => listening.abort();
}
