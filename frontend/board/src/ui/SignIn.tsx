import { useState } from "preact/hooks";

import type { Session } from "../../../common/session";
import { settings } from "../../../common/settings";
import { Mark } from "./icons";

export function SignIn({ session }: { session: Session }) {
  const { demo } = settings;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const signIn = async (username: string, password: string) => {
    setBusy(true);
    setProblem("");
    await session.signIn(username, password).catch((error: Error) => setProblem(error.message));
    setBusy(false);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    void signIn(String(data.get("username")), String(data.get("password")));
  };

  return (
    <main class="sign-in">
      <header>
        <h1><Mark /> Taskriver</h1>
        <p>One board for everybody, live.</p>
      </header>
      <form onSubmit={submit} aria-label="Sign in">
        <label>Username<input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus /></label>
        <label>Password<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="problem" role="alert">{problem}</p>
        <button class="primary" disabled={busy}>{busy ? "Signing in …" : "Sign in"}</button>
      </form>
      {demo && (
        <section aria-labelledby="demo">
          <h2 id="demo">Or try it as</h2>
          <div class="demo">
            {demo.names.map((name) => (
              <button key={name} disabled={busy} onClick={() => void signIn(name, demo.password)}>{name}</button>
            ))}
          </div>
        </section>
      )}
    </main>
  );
}
