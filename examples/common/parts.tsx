// What both examples show alike. They differ in how they ask.
import type { Stream } from "@taskriver/client";
import { useStreamStatus } from "@taskriver/client/react";

const WORDS = { TODO: "to do", IN_PROGRESS: "in progress", DONE: "done", CANCELLED: "cancelled" };
export type Status = keyof typeof WORDS;

interface Project {
  id: string;
  key: string;
  name: string;
}

interface ProjectSelectProps {
  projects: readonly Project[];
  /** The project of the list; null: all tasks. */
  value: string | null;
  onChange(projectId: string | null): void;
}

/** Chooses the tasks to list. Nothing is shown to a user without projects. */
export function ProjectSelect({ projects, value, onChange }: ProjectSelectProps) {
  if (!projects.length) return null;
  return (
    <label>
      Project
      <select value={value ?? ""} onChange={({ target }) => onChange(target.value || null)}>
        <option value="">All tasks</option>
        {projects.map(({ id, key, name }) => <option key={id} value={id}>{key} {name}</option>)}
      </select>
    </label>
  );
}

interface RowProps {
  task: { title: string; key: string | null; status: Status; viewerCanUpdateStatus: boolean; owner: { username: string } | null };
  /** Why the last move was refused. */
  refusal: string | undefined;
  onMove(status: Status): void;
}

export function TaskRow({ task, refusal, onMove }: RowProps) {
  return (
    <li className="task">
      <span>
        {task.title} <small>{[task.key, task.owner?.username].filter(Boolean).join(" · ")}</small>
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
