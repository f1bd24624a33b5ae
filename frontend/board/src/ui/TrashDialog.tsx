import { useEffect, useState } from "preact/hooks";

import { TrashDocument, type TrashQuery } from "../api/gql/graphql";
import type { Store } from "../board/store";
import { Dialog } from "./Dialog";
import { ago, exactly } from "../../../common/ui/times";
import { useClock } from "../../../common/ui/use";

type Deleted = TrashQuery["trash"]["nodes"][number];
type Page = Pick<TrashQuery["trash"], "nodes" | "pageInfo">;

/** The deleted tasks of the board, and a way to restore each. */
export function TrashDialog({ store, onClose }: { store: Store; onClose: () => void }) {
  const { page, problem, more, drop } = useTrash(store);
  const now = useClock(30_000);
  const restore = async ({ id, title }: Deleted) => {
    if (await store.write.restore(id, title)) drop(id);
  };
  return (
    <Dialog store={store} title="Trash" onLeave={onClose}>
      <p class="fine">
        {store.projectKey === null
          ? "Personal tasks that you deleted. They are removed for good after some time."
          : "Deleted tasks of this project. They are removed for good after some time."}
      </p>
      <p class="problem" role="alert">{problem}</p>
      {page?.nodes.length === 0 && <p class="empty">The trash is empty.</p>}
      <ul class="rows">
        {page?.nodes.map((task) => (
          <li key={task.id}>
            <span class="what">
              {task.key && <span class="key">{task.key}</span>} {task.title}
              <small>
                {task.deletedBy?.username ?? "operator"},{" "}
                <time dateTime={task.deletedAt} title={exactly(task.deletedAt)}>{ago(task.deletedAt, now)}</time>
                {task.subtaskCount > 0 && ` · with ${task.subtaskCount} subtasks`}
              </small>
            </span>
            <button aria-label={`Restore “${task.title}”`} onClick={() => void restore(task)}>Restore</button>
          </li>
        ))}
      </ul>
      {page?.pageInfo.hasNextPage && <button onClick={more}>Show earlier ones</button>}
    </Dialog>
  );
}

function useTrash(store: Store) {
  const [page, setPage] = useState<Page | null>(null);
  const [problem, setProblem] = useState("");
  const read = async (after: string | null, over: () => boolean = () => false) => {
    try {
      const { trash } = await store.api.ask(TrashDocument, { projectId: store.state.project?.id ?? null, after });
      if (over()) return;
      setProblem("");
      setPage((before) => ({ ...trash, nodes: after === null ? trash.nodes : [...(before?.nodes ?? []), ...trash.nodes] }));
    } catch (error) {
      if (!over()) setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  useEffect(() => {
    let isOver = false;
    void read(null, () => isOver);
    return () => {
      isOver = true;
    };
  }, []);
  return {
    page, problem,
    more: () => void read(page?.pageInfo.endCursor ?? null),
    drop: (id: string) => setPage((now) => now && { ...now, nodes: now.nodes.filter((each) => each.id !== id) }),
  };
}
