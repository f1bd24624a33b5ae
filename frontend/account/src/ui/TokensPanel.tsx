import { useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import { change } from "../api/api";
import { RevokeAccessTokenDocument, type Role, type TokenFieldsFragment } from "../api/gql/graphql";
import { NewToken } from "./NewToken";
import { headingOf, Panel } from "./Panel";
import { SCOPES } from "./scopes";
import { Secret } from "./Secret";
import { Time } from "./Time";
import { useQuestion } from "./use";

interface Props {
  readonly session: Session;
  readonly tokens: readonly TokenFieldsFragment[];
  readonly role: Role;
  readonly onChanged: () => Promise<void>;
}

/** The tokens with which programs act as the viewer. */
export function TokensPanel({ session, tokens, role, onChanged }: Props) {
  const { ask, dialog } = useQuestion();
  const [isOpen, setOpen] = useState(false);
  const [secret, setSecret] = useState("");
  const [said, setSaid] = useState("");
  const [problem, setProblem] = useState("");

  const revoke = async ({ id, name }: TokenFieldsFragment, button: Element) => {
    const text = "Programs that use it can no longer sign in. This cannot be undone.";
    if (!(await ask({ title: `Revoke “${name}”?`, text, yes: "Revoke" }))) return;
    const heading = headingOf(button);
    const { problem: refused } = await change(session, RevokeAccessTokenDocument, { accessTokenId: id });
    setProblem(refused?.text ?? "");
    if (refused) return;
    await onChanged();
    setSaid(`The token “${name}” is revoked.`);
    heading?.focus();
  };
  const created = (text: string) => {
    setOpen(false);
    setSecret(text);
    setSaid("");
    void onChanged();
  };

  return (
    <Panel title="Personal access tokens" said={said}>
      <p class="about">A program that has one acts as you, within its scopes, until it expires or you revoke it.</p>
      <p class="problem" role="alert">{problem}</p>
      {secret && <Secret text={secret} what="token" onDone={() => setSecret("")} />}
      {isOpen && <NewToken session={session} scopes={role} onCreated={created} onCancel={() => setOpen(false)} />}
      {!isOpen && <p><button onClick={() => { setOpen(true); setSecret(""); setSaid(""); }}>New token</button></p>}
      <ul class="rows entries">
        {tokens.map((token) => (
          <li key={token.id}>
            <div class="what">
              <b>{token.name}</b> {isOver(token) && <span class="tag">expired</span>}
              <small>
                {token.scopes.map((scope) => SCOPES[scope].name).join(", ")} · {isOver(token) ? "expired" : "expires"}{" "}
                <Time at={token.expiresAt} form="day" /> · {token.lastUsedAt ? <>last used <Time at={token.lastUsedAt} /></> : "never used"}
              </small>
            </div>
            <button class="danger" aria-label={`Revoke ${token.name}`} onClick={(event) => void revoke(token, event.currentTarget)}>
              Revoke
            </button>
          </li>
        ))}
      </ul>
      {dialog}
    </Panel>
  );
}

function isOver({ expiresAt }: TokenFieldsFragment): boolean {
  return Date.parse(expiresAt) <= Date.now();
}
