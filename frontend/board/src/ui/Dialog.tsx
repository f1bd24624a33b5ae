import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { Store } from "../board/store";
import { focusOf, returnFocus } from "./focus";
import { Notices } from "./Notices";

interface Props {
  readonly store: Store;
  readonly title: string;
  readonly kind?: "side" | "box";
  /** The task that it is about: its card gets the focus if nothing on the page opened the dialog. */
  readonly task?: string;
  /** Asked to close: by Escape, the button, or a click beside it. It stays as long as it is drawn. */
  readonly onLeave: () => void;
  readonly children: ComponentChildren;
}

/**
 * A modal dialog. The focus begins at the element with `data-focus`, else at the heading, and goes back to where it came
 * from. Notices are drawn in it, since nobody sees or hears what lies behind.
 */
export function Dialog({ store, title, kind = "side", task, onLeave, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    const opener = focusOf(document.activeElement, task);
    dialog.current!.showModal();
    (dialog.current!.querySelector<HTMLElement>("[data-focus]") ?? heading.current!).focus();
    return () => returnFocus(opener);
  }, []);
  // A browser may close it in spite of us, on a second request in a row.
  const onClose = () => {
    dialog.current!.showModal();
    onLeave();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    onLeave();
  };
  return (
    <dialog
      ref={dialog} class={kind} aria-label={title} onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        onLeave();
      }}
      onClose={onClose} onMouseDown={(event) => event.target === dialog.current && onLeave()}
    >
      <div class="sheet">
        <header>
          <h2 ref={heading} tabIndex={-1}>{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={onLeave}>×</button>
        </header>
        {children}
      </div>
      <Notices store={store} />
    </dialog>
  );
}
