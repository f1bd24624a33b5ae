import { RequestError, signedOut } from "./errors.js";
import type { User } from "./grant.js";

/** A value that never changes; another state is another object. */
export interface SessionState {
  /** `unknown`: the server could not be asked yet; `error` says why. */
  readonly status: "unknown" | "signedIn" | "signedOut";
  readonly user: User | null;
  readonly error: RequestError | null;
}

/** The error of a request whose user is no longer signed in; null: the user is signed in, or it is not known. */
export function userError(state: SessionState | undefined, userId: string | undefined): RequestError | null {
  if (userId === undefined || !state || state.status === "unknown" || state.user?.id === userId) return null;
  return state.user ? new RequestError("USER_CHANGED", "Another user has signed in.") : signedOut();
}
