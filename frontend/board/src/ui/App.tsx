import { useEffect, useRef, useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import { hasDrafts } from "../board/drafts";
import type { Navigation } from "../board/navigation";
import type { Person } from "../board/state";
import { Store } from "../board/store";
import { BoardPage } from "./BoardPage";
import { SignIn } from "../../../common/ui/SignIn";
import { useChanges } from "../../../common/ui/use";

interface Props {
  readonly session: Session;
  readonly navigation: Navigation;
}

export function App({ session, navigation }: Props) {
  useChanges(session);
  useChanges(navigation);
  useEffect(() => void session.resume().catch(() => {}), [session]); // It is asked again until it answers.
  const last = useRef<Person | null>(null);
  /** Whether the viewer signs out here: then there is nothing to explain. */
  const leaving = useRef(false);
  const { status, user: person, error } = session.state;
  if (person) last.current = person;

  if (status === "unknown") return <p class="splash" role="status">{error && `${error.message} Trying again …`}</p>;
  if (!person) {
    const ended = leaving.current ? null : last.current;
    const unsaved = !!ended && hasDrafts(ended.id);
    return (
      <SignIn
        session={session} about="A live task board." reason={reasonFor(ended, unsaved, navigation)}
        username={ended?.username ?? ""} unsaved={unsaved}
      />
    );
  }
  const { project } = navigation.view;
  // Another person, another role or another board: another store.
  return (
    <Signed
      key={`${person.id} ${person.role} ${navigation.board}`} project={project} session={session} navigation={navigation} person={person}
      onLeaving={(now) => (leaving.current = now)}
    />
  );
}

function reasonFor(last: Person | null, unsaved: boolean, { view }: Navigation): string {
  if (!last) return view.task === null ? "" : "Sign in to open the task.";
  const text = "Your session has ended. It expired, or it was ended elsewhere, such as in another window.";
  return unsaved ? `${text} Your unsaved changes are kept: sign in as ${last.username} to go on.` : text;
}

interface SignedProps extends Props {
  readonly project: string | null;
  readonly person: Person;
  readonly onLeaving: (now: boolean) => void;
}

function Signed({ session, navigation, person, project, onLeaving }: SignedProps) {
  const [store, setStore] = useState<Store | null>(null);
  const current = useRef<Store | null>(null);
  const open = () => {
    const opened = (current.current = new Store(session, person, navigation, project));
    setStore(opened);
    void opened.follow.start();
    return opened;
  };
  useEffect(() => {
    onLeaving(false);
    open();
    return () => current.current?.end();
  }, []);

  /** Closes the stream first, so that the server has none to cut. If it fails, the board is opened again. */
  const signOut = async (left: Store) => {
    onLeaving(true);
    left.end();
    setStore(null);
    try {
      await session.signOut();
      left.forgetDrafts();
      navigation.reset();
    } catch (error) {
      onLeaving(false);
      open().notice("REFUSED", `You are still signed in. ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  if (!store) return <p class="splash" role="status">…</p>;
  return <BoardPage store={store} onSignOut={() => void signOut(store)} />;
}
