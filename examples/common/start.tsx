// The page around the tasks: who is not signed in signs in first.
import { useEffect, useState, type ComponentType, type FormEvent } from "react";
import { createRoot } from "react-dom/client";

import { accessToken, signIn, signOut } from "./session";
import "./style.css";

export function start(title: string, Tasks: ComponentType): void {
  createRoot(document.getElementById("root")!).render(<Page title={title} Tasks={Tasks} />);
}

function Page({ title, Tasks }: { title: string; Tasks: ComponentType }) {
  const [signedIn, setSignedIn] = useState<boolean>();
  useEffect(() => {
    // An earlier visit may have left its cookie.
    accessToken().then(() => setSignedIn(true), () => setSignedIn(false));
  }, []);
  return (
    <main>
      <header>
        <h1>{title}</h1>
        {signedIn && <button onClick={signOut}>Sign out</button>}
      </header>
      {signedIn && <Tasks />}
      {signedIn === false && <SignIn onSignedIn={() => setSignedIn(true)} />}
    </main>
  );
}

function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [problem, setProblem] = useState("");
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [username, password] = [String(form.get("username")), String(form.get("password"))];
    signIn(username, password).then(onSignedIn, (error: Error) => setProblem(error.message));
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
