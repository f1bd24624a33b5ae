import type { Session } from "@taskriver/client";
import { type FormEvent, useEffect, useState } from "react";
import type { EventLog } from "./event-log";
import { EVENTS, useEvents } from "./event-log-plugin";
import type { StreamState } from "./listening";
import { settings } from "../../common/settings";
import { usePerson } from "./use-person";

const ROLES = { USER: "user", MODERATOR: "moderator", ADMIN: "admin" };

interface BarProps {
  session: Session;
  stream: StreamState | null;
  /** What just happened, such as "The link is copied." */
  notice: string;
  log: EventLog;
}

/** The bar above GraphiQL: links, the state of the stream, and the session. */
export function Bar({ session, stream, notice, log }: BarProps) {
  const person = usePerson(session);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  const attempt = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => void attempt(() => session.resume()), [session]);

  return (
    <header className="bar graphiql-container">
      <a className="bar-name" href="/">
        <Mark /> Taskriver <small>GraphQL</small>
      </a>
      <nav className="bar-links">
        {Object.entries(settings.links ?? {}).map(([name, path]) => (
          <a key={name} href={path}>
            {name}
          </a>
        ))}
      </nav>
      {stream && <Stream {...stream} />}
      <LogButton log={log} />
      <span className={problem ? "bar-problem" : "bar-problem bar-notice"} role="status">
        {problem || notice}
      </span>
      {person && (
        <div className="bar-person">
          <b>{person.username}</b>
          <span className="bar-role">{ROLES[person.role as keyof typeof ROLES]}</span>
          <button type="button" disabled={busy} onClick={() => attempt(() => session.signOut())}>
            Sign out
          </button>
        </div>
      )}
      {person === null && (
        <SignIn busy={busy} signIn={(name, password) => attempt(() => session.signIn(name, password))} />
      )}
    </header>
  );
}

function SignIn({ busy, signIn }: { busy: boolean; signIn: (username: string, password: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn(String(form.get("username")), String(form.get("password")));
  };
  const { demo } = settings;
  return (
    <form className="bar-sign-in" onSubmit={submit}>
      {demo && (
        <span className="bar-people">
          Sign in as
          {demo.names.map((name) => (
            <button key={name} type="button" disabled={busy} onClick={() => signIn(name, demo.password)}>
              {name}
            </button>
          ))}
          or
        </span>
      )}
      <input name="username" aria-label="Username" placeholder="username" autoComplete="username" required size={11} />
      <input
        name="password"
        type="password"
        aria-label="Password"
        placeholder="password"
        autoComplete="current-password"
        required
        size={11}
      />
      <button type="submit" className="bar-main" disabled={busy}>
        Sign in
      </button>
    </form>
  );
}

function Stream({ connection, events }: StreamState) {
  const count = `${events} ${events === 1 ? "event" : "events"}`;
  return (
    <span className={`bar-stream bar-${connection}`} role="status">
      {connection === "live" ? `live · ${count}` : "connecting …"}
    </span>
  );
}

/** Opens the log of events; shown as soon as there is one. */
function LogButton({ log }: { log: EventLog }) {
  const events = useEvents(log).length;
  if (!events) return null;
  return (
    <button type="button" onClick={openEvents}>
      Event log ({events})
    </button>
  );
}

/** GraphiQL makes room for a panel only when its button in the sidebar is clicked; its store alone does not. */
function openEvents(): void {
  document.querySelector<HTMLElement>(`[aria-label="Show ${EVENTS}"]`)?.click();
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 12c4-4.5 8-4.5 12 0s8 4.5 12 0M4 21c4-4.5 8-4.5 12 0s8 4.5 12 0" />
    </svg>
  );
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
