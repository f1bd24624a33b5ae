import type { Notice } from "../board/state";
import type { Store } from "../board/store";

/** What was done is said politely, what was refused at once. */
export function Notices({ store }: { store: Store }) {
  const of = (...kinds: Notice["kind"][]) => store.state.notices.filter(({ kind }) => kinds.includes(kind));
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
              <button class="quiet" aria-label="Dismiss" onClick={() => store.dismiss(id)}>×</button>
            </p>
          ))}
        </div>
      </div>
    </>
  );
}
