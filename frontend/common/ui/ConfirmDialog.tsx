import type { Question } from "../question";
import { focusAgain, focused, useModal } from "./modal";

/** Asks before something is lost. Escape and a click beside it mean no, and no is what the focus is on. */
export function ConfirmDialog({ question }: { question: Question }) {
  const no = () => question.answer(false);
  // If the answer closes the form, too, the form gives the focus back.
  const dialog = useModal({
    onDismiss: no, opener: focused, onGone: (opener) => queueMicrotask(() => focusAgain(opener)),
  });
  return (
    <dialog
      ref={dialog} class="box" role="alertdialog" aria-labelledby="question" aria-describedby="question-text"
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
