import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Notice } from "../board/state";
import type { Store } from "../board/store";
import { focusOf, returnFocus, type Place } from "./focus";

const SHOWN = { SAID: 4_000, DONE: 4_000, REFUSED: 12_000 };
/** What can be undone stays longer. */
const UNDOABLE = 10_000;

interface Props {
  readonly store: Store;
  /** Whether a dialog lies above: it draws the notices then. */
  readonly covered?: boolean;
}

/**
 * What was done is announced politely, what was refused at once. The live regions are there before and after their text:
 * text that appears with its region is not announced.
 */
export function Notices({ store, covered = false }: Props) {
  const notices = covered ? [] : store.state.notices;
  const of = (...kinds: Notice["kind"][]) => notices.filter(({ kind }) => kinds.includes(kind));
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
  const focus = useFocusReturn();
  if (kind === "SAID") return null;
  const refused = kind === "REFUSED";
  return (
    <p
      ref={focus.element} class={refused ? "notice refused" : "notice"}
      onMouseEnter={() => setHeld(true)} onMouseLeave={() => setHeld(false)}
      onFocusIn={(event) => (setHeld(true), focus.came(event.relatedTarget))} onFocusOut={() => setHeld(false)}
    >
      <span aria-hidden={!refused}>{text}</span>
      {undo && <Undo onUndo={() => (store.dismiss(id), undo())} />}
      {(refused || undo) && <button class="quiet" aria-label="Dismiss" onClick={() => store.dismiss(id)}>×</button>}
    </p>
  );
}

/** An element that goes with the focus in it gives it back to where it came from. */
function useFocusReturn() {
  const element = useRef<HTMLParagraphElement>(null);
  const opener = useRef<Place>(focusOf(null));
  useLayoutEffect(() => () => {
    if (element.current?.contains(document.activeElement)) returnFocus(opener.current);
  }, []);
  const came = (from: EventTarget | null) => {
    if (!element.current?.contains(from as Node | null)) opener.current = focusOf(from);
  };
  return { element, came };
}

function Undo({ onUndo }: { onUndo: () => void }) {
  return <button class="undo" aria-keyshortcuts="Z" onClick={onUndo}>Undo</button>;
}
