import { useSyncExternalStore } from "react";
import type { Person, Session } from "../../common/session";

/** The signed-in user; null: none; undefined: not known yet. */
export function usePerson(session: Session): Person | null | undefined {
  return useSyncExternalStore(session.subscribe, () => session.person);
}
