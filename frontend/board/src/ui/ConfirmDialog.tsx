import { useLayoutEffect, useRef } from "preact/hooks";

import type { Question } from "../board/state";
import { focusAgain, focusOf } from "./focus";

/** Asks before something is lost. Escape and a click beside it mean no, and no is what the focus is on. */
export function ConfirmDialog({ question }: { question: Question }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const opener = focusOf(document.activeElement);
    dialog.current!.showModal();
    dialog.current!.querySelector<HTMLElement>("[data-focus]")!.focus();
    // If the answer closes the form, too, that gives the focus back.
    return () => queueMicrotask(() => focusAgain(opener));
  }, []);
  const no = () => question.answer(false);
  return (
    <dialog
      ref={dialog} class="box" role="alertdialog" aria-labelledby="question" aria-describedby="question-text"
      onClose={no} onMouseDown={(event) => event.target === dialog.current && no()}
    >
      <div class="sheet">
        <h2 id="question">{question.title}</h2>
        <p id="question-text">{question.text}</p>
        <div class="actions">
          <button type="button" data-focus onClick={no}>{question.no}</button>
          <button type="button" class="danger" onClick={() => question.answer(true)}>{question.yes}</button>
        </div>
      </div>
    </dialog>
  );
}
