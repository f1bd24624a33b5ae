// The page: who is signed in, the state of the stream, and the tasks.
import { useSession, useStream, useStreamStatus } from "@taskriver/client/react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { CHANGES, type App, type Changes } from "./app.js";

export interface Observer {
  /** Each item that the subscription delivers. */
  readonly onItem?: (item: Changes["taskChanged"]) => void;
  readonly onMount?: () => void;
}

export function Page({ app, observer = {} }: { app: App; observer?: Observer }) {
  const { status, user, error } = useSession(app.session);
  const { state, error: end } = useStreamStatus(app.stream);
  const [isFollowing, follow] = useState(true);
  return (
    <main>
      <output>{[status, user?.username, user?.role, state, (error ?? end)?.code].filter(Boolean).join(" ")}</output>
      <button onClick={() => follow(!isFollowing)}>{isFollowing ? "Stop" : "Follow"}</button>
      {user && isFollowing && <List key={user.id} app={app} observer={observer} />}
    </main>
  );
}

function List({ app: { stream, tasks }, observer }: { app: App; observer: Observer }) {
  const [after, setAfter] = useState<string | null>(null);
  const shown = useSyncExternalStore(tasks.subscribe, tasks.get, tasks.get);
  useEffect(() => {
    let isMounted = true;
    observer.onMount?.();
    tasks.read().then((cursor) => isMounted && setAfter(cursor), () => {}); // Another user has signed in.
    return () => void (isMounted = false);
  }, [tasks, observer]);
  useStream<Changes>(stream, after === null ? null : { query: CHANGES, variables: { after } }, {
    next({ data }) {
      if (!data) return;
      observer.onItem?.(data.taskChanged);
      tasks.take(data.taskChanged);
    },
  });
  return <ul>{after !== null && shown.map(({ id, title, status }) => <li key={id}>{`${status}: ${title}`}</li>)}</ul>;
}
