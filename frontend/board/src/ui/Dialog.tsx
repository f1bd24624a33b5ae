import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { Store } from "../board/store";
import { Notices } from "./Notices";

interface Props {
  readonly store: Store;
  readonly title: string;
  /** Whether something is written in it that would be lost. */
  readonly dirty: boolean;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/**
 * A sheet over the board; the browser keeps the focus in it and gives it back. Escape and a click beside it close it.
 * What is said is said in it, for nobody sees or hears what lies behind.
 */
export function Dialog({ store, title, dirty, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const mayLeave = () => !dirty || confirm("Leave what you have written?");
  const leave = () => mayLeave() && dialog.current?.close();
  return (
    <dialog
      ref={dialog} aria-label={title} onClose={onClose}
      onCancel={(event) => mayLeave() || event.preventDefault()}
      onMouseDown={(event) => event.target === dialog.current && leave()}
    >
      <div class="sheet">
        <header>
          <h2>{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={leave}>×</button>
        </header>
        {children}
      </div>
      <Notices store={store} />
    </dialog>
  );
}
