// The page around the tasks: a user who is not signed in signs in first.
import { useSession } from "@taskriver/client/react";
import { StrictMode, useState, type ComponentType, type FormEvent } from "react";
import { createRoot } from "react-dom/client";

import { session } from "./session";
import "./style.css";

export function start(title: string, Tasks: ComponentType): void {
  createRoot(document.getElementById("root")!).render(<StrictMode><Page title={title} Tasks={Tasks} /></StrictMode>);
}

function Page({ title, Tasks }: { title: string; Tasks: ComponentType }) {
  const { status, error } = useSession(session);
  const [problem, setProblem] = useState("");
  const signOut = () => session.signOut().catch((failure: Error) => setProblem(failure.message));
  return (
    <main>
      <header>
        <h1>{title}</h1>
        {status === "signedIn" && <button onClick={signOut}>Sign out</button>}
      </header>
      {status === "signedIn" && <Tasks />}
      {status === "signedOut" && <SignIn />}
      {(error || problem) && <p role="alert">{error ? `${error.message} Trying again …` : problem}</p>}
    </main>
  );
}

function SignIn() {
  const [problem, setProblem] = useState("");
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [username, password] = [String(form.get("username")), String(form.get("password"))];
    session.signIn(username, password).catch((error: Error) => setProblem(error.message));
  };
  return (
    <form onSubmit={submit}>
      <label>Username <input name="username" autoComplete="username" defaultValue="alice" required /></label>
      <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
      <button>Sign in</button>
      {problem && <p role="alert">{problem}</p>}
      <p>The demo's people are alice, bob, moderator and admin; their password is <code>Taskriver-1</code>.</p>
    </form>
  );
}
