import { useEffect, useState } from "preact/hooks";

import { HistoryDocument, type HistoryQuery } from "../api/gql/graphql";
import type { Task } from "../board/fold";
import type { Store } from "../board/store";
import { inWords, STATUS_WORDS } from "../board/words";
import { ago, exactly } from "../../../common/ui/times";
import { useClock } from "../../../common/ui/use";

type Page = NonNullable<HistoryQuery["task"]>["history"];
type Entry = Page["nodes"][number];

/** What happened to a task, the newest first; read again with every new version of it. */
export function TaskHistory({ store, task }: { store: Store; task: Task }) {
  const [page, setPage] = useState<Page | null>(null);
  const [problem, setProblem] = useState("");
  const now = useClock(30_000);

  const read = async (after: string | null): Promise<Page | undefined> => {
    try {
      const found = await store.api.ask(HistoryDocument, { id: task.id, after });
      setProblem("");
      return found.task?.history;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  useEffect(() => {
    let over = false;
    void read(null).then((found) => !over && found && setPage(found));
    return () => {
      over = true;
    };
  }, [task.id, task.version]);
  const earlier = async () => {
    const after = page?.pageInfo.endCursor ?? null;
    const found = await read(after);
    // Only behind the page that it follows: another click or version may have brought another one.
    if (found) setPage((now) => now && now.pageInfo.endCursor === after ? { ...found, nodes: [...now.nodes, ...found.nodes] } : now);
  };

  return (
    <section class="history" aria-labelledby="history">
      <h3 id="history">History</h3>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <ol>{page?.nodes.map((entry) => <Line key={entry.version} entry={entry} now={now} />)}</ol>
      {page?.pageInfo.hasNextPage && <button type="button" onClick={() => void earlier()}>Show earlier changes</button>}
    </section>
  );
}

function Line({ entry, now }: { entry: Entry; now: number }) {
  const moved = entry.from !== null && entry.from !== entry.to;
  return (
    <li>
      <b>{entry.by?.username ?? "operator"}</b> {inWords(entry.changes)}
      {moved && entry.from && <span class="move"> {STATUS_WORDS[entry.from]} → {STATUS_WORDS[entry.to]}</span>}
      <time dateTime={entry.at} title={exactly(entry.at)}> {ago(entry.at, now)}</time>
    </li>
  );
}
