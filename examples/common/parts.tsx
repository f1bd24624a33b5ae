// What both examples show alike. They differ in how they ask.
import type { Stream } from "@taskriver/client";
import { useStreamStatus } from "@taskriver/client/react";

const WORDS = { TODO: "to do", IN_PROGRESS: "in progress", DONE: "done", CANCELLED: "cancelled" };
export type Status = keyof typeof WORDS;

interface RowProps {
  task: { title: string; status: Status; viewerCanUpdateStatus: boolean; owner: { username: string } | null };
  /** Why the last move was refused. */
  refusal: string | undefined;
  onMove(status: Status): void;
}

export function TaskRow({ task, refusal, onMove }: RowProps) {
  return (
    <li className="task">
      <span>
        {task.title} <small>{task.owner?.username}</small>
        {refusal && <small role="alert">{refusal}</small>}
      </span>
      <select
        aria-label={`Status of ${task.title}`}
        value={task.status}
        disabled={!task.viewerCanUpdateStatus}
        onChange={({ target }) => onMove(target.value as Status)}
      >
        {Object.entries(WORDS).map(([status, words]) => <option key={status} value={status}>{words}</option>)}
      </select>
    </li>
  );
}

export function ShowMore({ onClick }: { onClick: () => void }) {
  return <li className="task"><button onClick={onClick}>Show more</button></li>;
}

/** While there is nothing to show, and no error either, it is being read. */
export function Waiting({ error }: { error: Error | undefined }) {
  return error ? <p role="alert">{error.message}</p> : <p>Reading …</p>;
}

interface StreamItem {
  to?: Status;
  by?: { username: string } | null;
  task: { title: string } | null;
}

/** The state of the stream, and its last item. */
export function Standing({ stream, item, error }: { stream: Stream; item: StreamItem | undefined; error: Error | undefined }) {
  const live = useStreamStatus(stream).state === "connected";
  return (
    <div className="standing">
      <b className={live ? "live" : ""}>{live ? "Live" : "Coming back …"}</b>
      <output>{item?.to && `${item.by?.username ?? "The operator"}: “${item.task?.title ?? "a task that was deleted since"}” is ${WORDS[item.to]}`}</output>
      {error && <span role="alert">{error.message}</span>}
    </div>
  );
}
