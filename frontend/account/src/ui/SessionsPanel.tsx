import { useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import { change } from "../api/api";
import { RevokeSessionDocument, type SessionFieldsFragment } from "../api/gql/graphql";
import { deviceOf } from "./devices";
import { headingOf, Panel } from "./Panel";
import { Time } from "./Time";
import { useQuestion } from "./use";

interface Props {
  readonly session: Session;
  readonly sessions: readonly SessionFieldsFragment[];
  readonly onChanged: () => Promise<void>;
}

/** Where the viewer is signed in, with a way to sign out there. */
export function SessionsPanel({ session, sessions, onChanged }: Props) {
  const { ask, dialog } = useQuestion();
  const [said, setSaid] = useState("");
  const [problem, setProblem] = useState("");
  const others = sessions.filter(({ isCurrent }) => !isCurrent);

  const end = async (ids: readonly string[], button: Element) => {
    setSaid("");
    setProblem("");
    const heading = headingOf(button);
    let ended = 0, failure = "";
    for (const sessionId of ids) {
      const { problem: refused } = await change(session, RevokeSessionDocument, { sessionId });
      if (refused) failure = refused.text;
      else ended++;
    }
    await onChanged();
    if (ended) setSaid(ended === 1 ? "One session has ended." : `${ended} sessions have ended.`);
    setProblem(failure);
    heading?.focus();
  };
  const endOne = async ({ id, userAgent }: SessionFieldsFragment, button: Element) => {
    const text = "To use Taskriver there, one must sign in again.";
    if (await ask({ title: `Sign out ${deviceOf(userAgent)}?`, text, yes: "Sign out" })) await end([id], button);
  };
  const endOthers = async (button: Element) => {
    const title = others.length === 1 ? "Sign out the other session?" : `Sign out ${others.length} other sessions?`;
    const text = "You stay signed in here. Access tokens stay valid.";
    if (await ask({ title, text, yes: "Sign out" })) await end(others.map(({ id }) => id), button);
  };

  return (
    <Panel title="Sessions" said={said}>
      <p class="problem" role="alert">{problem}</p>
      <ul class="rows entries">
        {sessions.map((each) => (
          <li key={each.id}>
            <div class="what">
              <b>{deviceOf(each.userAgent)}</b> {each.isCurrent && <span class="tag">this one</span>}
              <small>
                {each.ipAddress} · signed in <Time at={each.createdAt} />
                {each.lastUsedAt && <> · last used <Time at={each.lastUsedAt} /></>}
              </small>
            </div>
            {!each.isCurrent && (
              <button aria-label={`Sign out ${deviceOf(each.userAgent)}`} onClick={(event) => void endOne(each, event.currentTarget)}>
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <p><button class="danger" onClick={(event) => void endOthers(event.currentTarget)}>Sign out all others</button></p>
      )}
      {dialog}
    </Panel>
  );
}
