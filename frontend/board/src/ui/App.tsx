import { useEffect, useState } from "preact/hooks";

import type { Session } from "../../../common/session";
import type { Person } from "../board/state";
import { Store } from "../board/store";
import { BoardPage } from "./BoardPage";
import { SignIn } from "./SignIn";
import { useChanges } from "./use";

export function App({ session }: { session: Session }) {
  useChanges(session);
  const [problem, setProblem] = useState<string | null>(null);
  const { person } = session;

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const resume = () =>
      session.resume().then(
        () => setProblem(null),
        (error: Error) => {
          setProblem(error.message);
          timer = setTimeout(resume, 2_000);
        },
      );
    void resume();
    return () => clearTimeout(timer);
  }, [session]);

  if (person === undefined) return <p class="splash" role="status">{problem && `${problem} Trying again …`}</p>;
  if (person === null) return <SignIn session={session} />;
  // Another person, or another role: another board.
  return <Signed key={`${person.id} ${person.role}`} session={session} person={person} />;
}

function Signed({ session, person }: { session: Session; person: Person }) {
  const [store, setStore] = useState<Store | null>(null);
  useEffect(() => {
    const mine = new Store(session, person);
    setStore(mine);
    void mine.follow.start();
    return () => mine.end();
  }, []);
  return store && <BoardPage store={store} session={session} />;
}
