import { useEffect, useRef, useState } from "preact/hooks";

import { RequestError, type Session } from "@taskriver/client";
import { SignIn } from "../../../common/ui/SignIn";
import { useChanges } from "../../../common/ui/use";
import { AccountPage } from "./AccountPage";
import { AuditPage } from "./AuditPage";
import { CliPage } from "./CliPage";
import { ShellPage } from "./ShellPage";
import { UsersPage } from "./UsersPage";

interface Props {
  readonly session: Session;
  /** The path of the page's address. */
  readonly path: string;
}

type User = NonNullable<Session["state"]["user"]>;

export function App({ session, path }: Props) {
  useChanges(session);
  useEffect(() => void session.resume().catch(() => {}), [session]); // It is asked again until it answers.
  const last = useRef<User | null>(null);
  /** Whether the viewer signs out here: then there is nothing to explain. */
  const leaving = useRef(false);
  const [problem, setProblem] = useState("");
  const { status, user, error } = session.state;
  if (user) last.current = user;

  if (status === "unknown") return <p class="splash" role="status">{error && `${error.message} Trying again …`}</p>;
  if (!user) {
    const ended = leaving.current ? null : last.current;
    return (
      <SignIn
        session={session} about={about(path)} username={ended?.username ?? ""} unsaved={false}
        reason={ended ? "Your session has ended. It expired, or it was ended elsewhere, such as in another window." : ""}
      />
    );
  }
  const signOut = async () => {
    leaving.current = true;
    setProblem("");
    await session.signOut().catch((failure: RequestError) => {
      leaving.current = false;
      setProblem(`You are still signed in. ${failure.message}`);
    });
  };
  leaving.current = false;
  return (
    <ShellPage key={`${user.id} ${user.role}`} user={user} path={path} problem={problem} onSignOut={() => void signOut()}>
      <Content session={session} path={path} user={user} />
    </ShellPage>
  );
}

function Content({ session, path, user }: Props & { user: User }) {
  if (path.startsWith("/account/cli")) return <CliPage session={session} username={user.username} search={location.search} />;
  if (!path.startsWith("/admin")) return <AccountPage session={session} />;
  if (user.role !== "ADMIN") return <Refused role={user.role} />;
  return path.startsWith("/admin/audit") ? <AuditPage session={session} /> : <UsersPage session={session} user={user} />;
}

function Refused({ role }: { role: string }) {
  return (
    <section class="panel" aria-labelledby="refused">
      <h2 id="refused">You may not see this page</h2>
      <p>It is for admins. Your role is {role.toLowerCase()}: an admin can change it.</p>
      <p><a href="/account">Go to your account</a></p>
    </section>
  );
}

function about(path: string): string {
  return path.startsWith("/admin") ? "Users and the audit log." : "Your account.";
}
