import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import type { Session } from "@taskriver/client";
import { useEffect, useRef } from "react";
import { changeOfOwnTask, isWaiting } from "./tabs";
import { usePerson } from "./use-person";

/** Writes a task of the signed-in user into the tab that needs one, so that it can be run unchanged. */
export function OwnTask({ session }: { session: Session }): null {
  const person = usePerson(session);
  const { moveTab } = useGraphiQLActions();
  const editors = useGraphiQL(({ tabs, activeTabIndex, variableEditor }) => ({ tabs, activeTabIndex, variableEditor }));
  const latest = useRef(editors);
  latest.current = editors;

  useEffect(() => {
    if (!person || !latest.current.tabs.some(isWaiting)) return;
    void changeOfOwnTask(session).then((variables) => {
      const { tabs, activeTabIndex, variableEditor } = latest.current;
      if (!variables || session.state.user !== person || !tabs.some(isWaiting)) return;
      if (isWaiting(tabs[activeTabIndex])) variableEditor?.setValue(variables);
      else moveTab(tabs.map((tab) => (isWaiting(tab) ? { ...tab, variables } : tab)));
    });
  }, [person, session, moveTab]);
  return null;
}
