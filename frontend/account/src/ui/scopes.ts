// The scopes of access tokens, in words.
import type { Role, TokenScope } from "../api/gql/graphql";

export const SCOPES: Readonly<Record<TokenScope, { readonly name: string; readonly text: string }>> = {
  TASKS_READ: { name: "tasks:read", text: "Read tasks, comments and projects, and subscribe to changes" },
  TASKS_WRITE: { name: "tasks:write", text: "Change tasks and comments, too" },
  PROJECTS_MANAGE: { name: "projects:manage", text: "Create, change and delete projects, and manage their members and labels" },
  ACCOUNT: { name: "account", text: "See your e-mail address, and list and end your sessions" },
  ADMIN: { name: "admin", text: "What your role as a moderator or admin adds" },
};

/** The scopes that change something for a user with this role. */
export function scopesOf(role: Role): TokenScope[] {
  return (Object.keys(SCOPES) as TokenScope[]).filter((scope) => scope !== "ADMIN" || role !== "USER");
}
