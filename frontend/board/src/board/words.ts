// Words that the page uses for the API's.
import type { ProjectRole, TaskChange, TaskPriority, TaskStatus } from "../api/gql/graphql";

export const STATUS_WORDS: Readonly<Record<TaskStatus, string>> = {
  TODO: "To do",
  IN_PROGRESS: "In progress",
  DONE: "Done",
  CANCELLED: "Cancelled",
};

export const PRIORITY_WORDS: Readonly<Record<TaskPriority, string>> = {
  LOW: "Low",
  MEDIUM: "Medium",
  HIGH: "High",
  URGENT: "Urgent",
};

export const ROLE_WORDS: Readonly<Record<ProjectRole, string>> = {
  MANAGER: "Manager",
  MEMBER: "Member",
  VIEWER: "Viewer",
};

const CHANGE_WORDS: Readonly<Record<TaskChange, string>> = {
  CREATED: "created it",
  TITLE: "changed the title",
  DESCRIPTION: "changed the description",
  STATUS: "moved it",
  PRIORITY: "changed the priority",
  DUE_AT: "changed the due date",
  OWNER: "gave it another owner",
  ASSIGNEE: "assigned it",
  LABELS: "changed the labels",
  RANK: "moved it up or down",
  PARENT: "changed the parent task",
  PROJECT: "moved it to another project",
  RESTORED: "restored it",
  DELETED: "deleted it",
};

/** What a user did: "moved it", "changed the title and the priority". */
export function inWords(changes: readonly TaskChange[]): string {
  const words = changes.map((change) => CHANGE_WORDS[change]);
  const rest = words.slice(1).map((word) => word.replace(/^changed /, words[0]?.startsWith("changed ") ? "" : "changed "));
  return [words[0] ?? "changed it", ...rest].join(" and ");
}
