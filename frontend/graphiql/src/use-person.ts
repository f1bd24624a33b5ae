import type { Session, User } from "@taskriver/client";
import { useSyncExternalStore } from "react";

/** The signed-in user; null: none; undefined: not known yet. */
export function usePerson(session: Session): User | null | undefined {
  const { status, user } = useSyncExternalStore(session.subscribe, () => session.state);
  return status === "unknown" ? undefined : user;
}
