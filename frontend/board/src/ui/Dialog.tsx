import type { ComponentChildren } from "preact";

import type { Store } from "../board/store";
import { focusOf, returnFocus } from "./focus";
import { useModal } from "../../../common/ui/modal";
import { Notices } from "./Notices";

interface Props {
  readonly store: Store;
  readonly title: string;
  readonly kind?: "side" | "box";
  /** The task that it is about: its card gets the focus if nothing on the page opened the dialog. */
  readonly task?: string;
  /** The viewer asks to close it, by the button, too. It stays open as long as it is drawn. */
  readonly onLeave: () => void;
  readonly children: ComponentChildren;
}

/** A modal dialog. Notices are drawn in it, because what lies behind is neither visible nor read aloud. */
export function Dialog({ store, title, kind = "side", task, onLeave, children }: Props) {
  const dialog = useModal({
    onDismiss: onLeave, opener: () => focusOf(document.activeElement, task), onGone: returnFocus,
  });
  return (
    <dialog ref={dialog} class={kind} aria-label={title}>
      <div class="sheet">
        <header>
          <h2 tabIndex={-1}>{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={onLeave}>×</button>
        </header>
        {children}
      </div>
      <Notices store={store} />
    </dialog>
  );
}
