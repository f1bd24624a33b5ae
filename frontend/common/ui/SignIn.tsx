import { useEffect, useRef, useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import { settings, type SignInProvider } from "../settings";
import { Mark } from "./Mark";
import { Links } from "./Links";
import { useUnloadQuestion } from "./use";

interface Props {
  readonly session: Session;
  /** What the page is. */
  readonly about: string;
  /** Why it is shown, if there is a special reason. */
  readonly reason: string;
  /** Who was signed in before. */
  readonly username: string;
  /** Whether there is unsaved text of theirs, which is lost with this tab. */
  readonly unsaved: boolean;
}

export function SignIn({ session, about, reason, username, unsaved }: Props) {
  useUnloadQuestion(unsaved, () => true);
  const { demo } = settings;
  const { passwords, providers } = settings.signIn ?? { passwords: true, providers: [] };
  const { busy, problem, signIn } = useSignIn(session);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>(username ? "[name=password]" : "[name=username]")!.focus(), []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(form.current!);
    void signIn(String(data.get("username")), String(data.get("password")));
  };

  return (
    <main class="sign-in">
      <header>
        <h1><Mark /> Taskriver</h1>
        <p>{about}</p>
      </header>
      {reason && <p class="note" role="status">{reason}</p>}
      {providers.length > 0 && <Providers providers={providers} />}
      {passwords && <form ref={form} onSubmit={submit} aria-label="Sign in">
        <label>
          Username
          <input
            name="username" defaultValue={username} autocomplete="username" autocapitalize="none" spellcheck={false} required
          />
        </label>
        <label>Password<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="problem" role="alert">{problem}</p>
        <button class="primary" aria-disabled={busy}>{busy ? "Signing in …" : "Sign in"}</button>
      </form>}
      {demo && passwords && (
        <section aria-labelledby="demo">
          <h2 id="demo">Or sign in as a demo user</h2>
          <div class="demo">
            {demo.names.map((name) => (
              <button key={name} aria-disabled={busy} onClick={() => void signIn(name, demo.password)}>{name}</button>
            ))}
          </div>
        </section>
      )}
      <Links class="links" />
    </main>
  );
}

/** The provider sends the browser back to the address of now, which may be that of a task. */
function Providers({ providers }: { providers: readonly SignInProvider[] }) {
  const { pathname, search, hash } = location;
  const back = new URLSearchParams({ return_to: pathname + search + hash }).toString();
  return (
    <ul class="providers" aria-label="Sign-in providers">
      {providers.map(({ label, startPath }) => (
        <li key={startPath}><a class="button" href={`${startPath}?${back}`}>Continue with {label}</a></li>
      ))}
    </ul>
  );
}

/** One attempt at a time. */
function useSignIn(session: Session) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const running = useRef(false);
  const signIn = async (username: string, password: string) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem("");
    await session.signIn(username, password).catch((error: Error) => setProblem(error.message));
    running.current = false;
    setBusy(false);
  };
  return { busy, problem, signIn };
}
