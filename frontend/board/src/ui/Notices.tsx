import { useEffect, useState } from "preact/hooks";

import type { Notice } from "../board/state";
import type { Store } from "../board/store";

const SHOWN = { SAID: 4_000, DONE: 4_000, REFUSED: 12_000 };
/** What can be undone stays longer. */
const UNDOABLE = 10_000;

/** What was done is announced politely, what was refused at once. */
export function Notices({ store }: { store: Store }) {
  const of = (...kinds: Notice["kind"][]) => store.state.notices.filter(({ kind }) => kinds.includes(kind));
  return (
    <>
      <div class="visually-hidden" role="status">
        {of("SAID", "DONE").map(({ id, text }) => <p key={id}>{text}</p>)}
      </div>
      <div class="notices">
        {of("SAID", "DONE").map((notice) => <Toast key={notice.id} store={store} notice={notice} />)}
        <div role="alert">
          {of("REFUSED").map((notice) => <Toast key={notice.id} store={store} notice={notice} />)}
        </div>
      </div>
    </>
  );
}

/** It goes by itself after a while, but not while the pointer or the focus is on it. */
function Toast({ store, notice: { id, kind, text, undo } }: { store: Store; notice: Notice }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => store.dismiss(id), undo ? UNDOABLE : SHOWN[kind]);
    return () => clearTimeout(timer);
  }, [held]);
  if (kind === "SAID") return null;
  const refused = kind === "REFUSED";
  return (
    <p
      class={refused ? "notice refused" : "notice"} onMouseEnter={() => setHeld(true)} onMouseLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)} onFocusOut={() => setHeld(false)}
    >
      <span aria-hidden={!refused}>{text}</span>
      {undo && <Undo onUndo={() => (store.dismiss(id), undo())} />}
      {(refused || undo) && <button class="quiet" aria-label="Dismiss" onClick={() => store.dismiss(id)}>×</button>}
    </p>
  );
}

function Undo({ onUndo }: { onUndo: () => void }) {
  return <button class="undo" aria-keyshortcuts="Z" onClick={onUndo}>Undo</button>;
}
