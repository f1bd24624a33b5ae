import { RequestError, signedOut } from "./errors.js";
import type { SessionState } from "./session.js";

/** The error of a request whose user is not signed in any more; null: the user is signed in, or it is not known. */
export function userError(state: SessionState | undefined, userId: string | undefined): RequestError | null {
  if (userId === undefined || !state || state.status === "unknown" || state.user?.id === userId) return null;
  return state.user ? new RequestError("USER_CHANGED", "Another user has signed in.") : signedOut();
}
