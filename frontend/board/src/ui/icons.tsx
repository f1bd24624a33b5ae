import type { TaskStatus } from "../api/gql/graphql";

/** What is in the ring. */
const MARKS: Readonly<Record<TaskStatus, string>> = {
  TODO: "",
  IN_PROGRESS: "M8 5.6v4.8a2.4 2.4 0 0 0 0-4.800Z",
  DONE: "M5.4 8.200l1.9 1.9 3.5-4",
  CANCELLED: "M6 6l4 4m0-4-4 4",
};

/** A shape for each status, because colour alone is not accessible. */
export function StatusIcon({ status }: { status: TaskStatus }) {
  return (
    <svg class={`status-icon ${status}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="6.2" />
      <path d={MARKS[status]} />
    </svg>
  );
}

export function DotsIcon() {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">
      <circle cx="3" cy="8" r="1.4" /><circle cx="8" cy="8" r="1.4" /><circle cx="13" cy="8" r="1.4" />
    </svg>
  );
}

export function LockIcon() {
  return (
    <svg class="lock" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path d="M4 7h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2" />
    </svg>
  );
}

export function SubtasksIcon() {
  return (
    <svg class="line-icon" viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
      <path d="M2.500 8.500l2 2 3.500-4M10 5h4M10 10.500h4" />
    </svg>
  );
}

export function CommentIcon() {
  return (
    <svg class="line-icon" viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
      <path d="M2.500 3.500h11v7.500H7l-3 2.500v-2.500H2.500z" />
    </svg>
  );
}

export function ChevronIcon() {
  return <svg class="chevron" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><path d="M4 6l4 4 4-4" /></svg>;
}
