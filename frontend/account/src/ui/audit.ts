// The audit log in words.
import type { AuditAction } from "../api/gql/graphql";
import { deviceOf } from "./devices";

export const ACTIONS: Readonly<Record<AuditAction, string>> = {
  SIGNED_IN: "Signed in",
  SIGN_IN_FAILED: "Sign-in failed",
  SIGNED_OUT: "Signed out",
  SIGNED_OUT_EVERYWHERE: "Signed out everywhere",
  SESSION_REVOKED: "Session ended",
  TOKEN_REUSED: "Refresh token used again",
  PASSWORD_CHANGED: "Password changed",
  PASSWORD_CHANGE_FAILED: "Password change failed",
  USER_CREATED: "User created",
  ROLE_CHANGED: "Role changed",
  USER_ENABLED: "User enabled",
  USER_DISABLED: "User disabled",
  USER_DELETED: "User deleted",
  ACCESS_TOKEN_CREATED: "Access token created",
  ACCESS_TOKEN_REVOKED: "Access token revoked",
  IDENTITY_LINKED: "Provider linked",
  IDENTITY_UNLINKED: "Provider unlinked",
  PROJECT_CREATED: "Project created",
  PROJECT_ARCHIVED: "Project archived",
  PROJECT_REOPENED: "Project reopened",
  PROJECT_DELETED: "Project deleted",
  MEMBER_ADDED: "Member added",
  MEMBER_ROLE_CHANGED: "Role of a member changed",
  MEMBER_REMOVED: "Member removed",
  MEMBER_LEFT: "Member left",
  EXPORT_STARTED: "Export started",
  IMPORT_STARTED: "Import started",
  DOCUMENTS_ADDED: "Trusted documents added",
  DOCUMENTS_REMOVED: "Trusted documents removed",
  AUDIT_EXPORTED: "Audit log printed",
  SERVER_STARTED: "Server started",
  CLEANED_UP: "Cleaned up",
  INVITATION_CREATED: "Invitation created",
  INVITATION_REVOKED: "Invitation revoked",
  INVITATION_ACCEPTED: "Invitation accepted",
  PASSWORD_RESET: "Password reset",
  EMAIL_VERIFIED: "E-mail address verified",
  RECOVERY_CREATED: "Recovery code created",
  RECOVERY_USED: "Recovery code used",
};

/** Who did what has no user. */
export function withoutUser(action: AuditAction): string {
  return action === "SERVER_STARTED" || action === "CLEANED_UP" ? "The server" : "Nobody signed in";
}

/** The details as "name: value" pairs; empty if there are none. */
export function detailsOf(text: string): string {
  const details = JSON.parse(text) as Record<string, unknown>;
  const shown = Object.entries(details).filter(([, value]) => value !== null);
  return shown.map(([name, value]) => `${name}: ${name === "userAgent" ? deviceOf(String(value)) : inWords(value)}`).join(" · ");
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
