import { useEffect, useRef, useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import type { Problem } from "../../../common/problem";
import { Field, FormProblem } from "../../../common/ui/Field";
import { useForm } from "../../../common/ui/use";
import { change } from "../api/api";
import { CreateAccessTokenDocument, type Role, type TokenScope } from "../api/gql/graphql";
import { SCOPES, scopesOf } from "./scopes";

interface Props {
  readonly session: Session;
  readonly scopes: Role;
  readonly onCreated: (secret: string) => void;
  readonly onCancel: () => void;
}

const DAY = 86_400_000;
const LIFETIMES = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "1 year"]] as const;
const USUAL = "90";
const FIELDS = ["name", "scopes", "expiresAt"];

export function NewToken({ session, scopes: role, onCreated, onCancel }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [scopes, setScopes] = useState<ReadonlySet<TokenScope>>(new Set(["TASKS_READ"]));
  const secret = useRef("");
  useEffect(() => form.current!.querySelector<HTMLElement>("[name=name]")!.focus(), []);

  const send = async (): Promise<Problem | null> => {
    if (!scopes.size) return { field: "scopes", text: "Choose at least one scope." };
    const data = new FormData(form.current!);
    const expiresAt = new Date(Date.now() + Number(data.get("expiresAt")) * DAY).toISOString();
    const input = { name: String(data.get("name")), scopes: [...scopes], expiresAt };
    const { result, problem } = await change(session, CreateAccessTokenDocument, input, FIELDS);
    secret.current = result?.secret ?? "";
    return problem;
  };
  const { busy, problem, submit } = useForm(send, () => onCreated(secret.current));
  const toggle = (scope: TokenScope) => {
    const next = new Set(scopes);
    if (!next.delete(scope)) next.add(scope);
    setScopes(next);
  };

  return (
    <form ref={form} class="narrow inset" onSubmit={submit} aria-label="New token">
      <Field name="name" label="Name" hint="What it is for, such as “Nightly report”." problem={problem}>
        {(input) => <input {...input} maxLength={100} autocomplete="off" required />}
      </Field>
      <fieldset class="scopes" aria-describedby="scopes-problem">
        <legend>Scopes</legend>
        {scopesOf(role).map((scope) => (
          <label key={scope} class="choice">
            <input type="checkbox" checked={scopes.has(scope)} onChange={() => toggle(scope)} />
            <span><b>{SCOPES[scope].name}</b> <small>{SCOPES[scope].text}</small></span>
          </label>
        ))}
        <p class="problem" role="alert" id="scopes-problem">{problem?.field === "scopes" && problem.text}</p>
      </fieldset>
      <Field name="expiresAt" label="Expires after" problem={problem}>
        {(input) => (
          <select {...input}>
            {LIFETIMES.map(([days, text]) => <option key={days} value={days} selected={days === USUAL}>{text}</option>)}
          </select>
        )}
      </Field>
      <FormProblem problem={problem} />
      <div class="actions">
        <button type="button" onClick={onCancel}>Cancel</button>
        <button class="primary" aria-disabled={busy}>{busy ? "Creating …" : "Create token"}</button>
      </div>
    </form>
  );
}
