import { useRef, useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import type { Problem } from "../../../common/problem";
import { Field, FormProblem } from "../../../common/ui/Field";
import { useForm } from "../../../common/ui/use";
import { change } from "../api/api";
import { ChangePasswordDocument } from "../api/gql/graphql";
import { Panel } from "./Panel";

interface Props {
  readonly session: Session;
  readonly username: string;
  readonly onChanged: () => void;
}

const FIELDS = ["currentPassword", "newPassword"];

export function PasswordPanel({ session, username, onChanged }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [said, setSaid] = useState("");
  const send = async (): Promise<Problem | null> => {
    setSaid("");
    const data = new FormData(form.current!);
    const [currentPassword, newPassword] = FIELDS.map((name) => String(data.get(name)));
    if (newPassword !== data.get("again")) return { field: "again", text: "The two new passwords differ." };
    const input = { currentPassword: currentPassword!, newPassword: newPassword! };
    return (await change(session, ChangePasswordDocument, input, FIELDS)).problem;
  };
  const done = () => {
    form.current!.reset();
    setSaid("The password is changed. Your other sessions have ended; access tokens are still valid.");
    onChanged();
  };
  const { busy, problem, submit } = useForm(send, done);
  return (
    <Panel title="Password" said={said}>
      <form ref={form} class="narrow" onSubmit={submit} aria-label="Change password">
        <input type="text" name="username" autocomplete="username" value={username} readOnly hidden />
        <Field name="currentPassword" label="Current password" problem={problem}>
          {(input) => <input {...input} type="password" autocomplete="current-password" required />}
        </Field>
        <Field name="newPassword" label="New password" hint="At least 8 characters: upper and lower case, a digit and a symbol, without spaces." problem={problem}>
          {(input) => <input {...input} type="password" autocomplete="new-password" required />}
        </Field>
        <Field name="again" label="New password again" problem={problem}>
          {(input) => <input {...input} type="password" autocomplete="new-password" required />}
        </Field>
        <FormProblem problem={problem} />
        <p><button class="primary" aria-disabled={busy}>{busy ? "Changing …" : "Change password"}</button></p>
      </form>
    </Panel>
  );
}
