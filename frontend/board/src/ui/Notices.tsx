import type { Notice } from "../board/state";

/** What was done is said politely, what was refused at once. */
export function Notices({ notices, onDismiss }: { notices: readonly Notice[]; onDismiss: (id: number) => void }) {
  const of = (...kinds: Notice["kind"][]) => notices.filter(({ kind }) => kinds.includes(kind));
  return (
    <>
      <div class="visually-hidden" role="status">
        {of("SAID", "DONE").map(({ id, text }) => <p key={id}>{text}</p>)}
      </div>
      <div class="notices">
        {of("DONE").map(({ id, text }) => <p key={id} class="notice" aria-hidden="true">{text}</p>)}
        <div role="alert">
          {of("REFUSED").map(({ id, text }) => (
            <p key={id} class="notice refused">
              <span>{text}</span>
              <button class="quiet" aria-label="Dismiss" onClick={() => onDismiss(id)}>×</button>
            </p>
          ))}
        </div>
      </div>
    </>
  );
}
