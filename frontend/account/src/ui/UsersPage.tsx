import { useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import { change, read } from "../api/api";
import { SetUserActiveDocument, SetUserRoleDocument, UsersDocument, type Role, type UserFieldsFragment } from "../api/gql/graphql";
import { useDelayed } from "./delayed";
import { usePages } from "./paging";
import { Panel, Waiting } from "./Panel";
import { Time } from "./Time";
import { useQuestion } from "./use";

interface Props {
  readonly session: Session;
  readonly user: { readonly id: string };
}

const PAGE = 50;
const ROLES: readonly Role[] = ["USER", "MODERATOR", "ADMIN"];

/** All users, for admins. */
export function UsersPage({ session, user: viewer }: Props) {
  const [typed, setTyped] = useState("");
  const search = useDelayed(typed.trim());
  const pages = usePages(async (after) => (await read(session, UsersDocument, { first: PAGE, after, search })).users, search);
  const { ask, dialog } = useQuestion();
  const [said, setSaid] = useState("");
  const [problem, setProblem] = useState("");

  const settle = ({ result, problem: refused }: Awaited<ReturnType<typeof setRole>>, text: string) => {
    setProblem(refused?.text ?? "");
    setSaid(refused ? "" : text);
    if (result?.user) pages.replace(result.user);
    else pages.again();
  };
  const setRole = (userId: string, role: Role) => change(session, SetUserRoleDocument, { userId, role });
  const changeRole = async ({ id, username }: UserFieldsFragment, role: Role, select: HTMLSelectElement, before: Role) => {
    const text = id === viewer.id ? "These are your own rights: you may lose the right to see this page." : RIGHTS[role];
    const yes = await ask({ title: `Make ${username} ${ARTICLES[role]}?`, text, yes: "Change role" });
    if (!yes) {
      select.value = before;
      return;
    }
    settle(await setRole(id, role), `${username} is ${ARTICLES[role]} now.`);
  };
  const changeActive = async ({ id, username, isActive }: UserFieldsFragment) => {
    const question = isActive
      ? { title: `Disable ${username}?`, text: "All their sessions and tokens stop working within a second. Their tasks stay.", yes: "Disable" }
      : { title: `Enable ${username}?`, text: "They can sign in again.", yes: "Enable" };
    if (!(await ask(question))) return;
    settle(await change(session, SetUserActiveDocument, { userId: id, isActive: !isActive }), `${username} is ${isActive ? "disabled" : "enabled"}.`);
  };

  return (
    <Panel title="Users" said={said}>
      <label class="narrow">
        Search by the start of the name
        <input type="search" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} autocomplete="off" spellcheck={false} />
      </label>
      <p class="problem" role="alert">{problem}</p>
      {pages.nodes === null || pages.problem ? <Waiting problem={pages.problem} onRetry={pages.again} /> : (
        <>
          {!pages.nodes.length && <p class="about" role="status">No user has a name that starts like this.</p>}
          <ul class="rows entries">
            {pages.nodes.map((user) => (
              <li key={user.id}>
                <div class="what">
                  <b>{user.username}</b> {!user.isActive && <span class="tag off">disabled</span>}
                  {user.id === viewer.id && <span class="tag">you</span>}
                  <small>{user.email} · since <Time at={user.createdAt} form="day" /> · <a href={`/admin/audit?actor=${encodeURIComponent(user.id)}`} aria-label={`audit log of ${user.username}`}>audit log</a></small>
                </div>
                <select
                  aria-label={`Role of ${user.username}`} value={user.role}
                  onChange={(event) => void changeRole(user, event.currentTarget.value as Role, event.currentTarget, user.role)}
                >
                  {ROLES.map((role) => <option key={role} value={role}>{role.toLowerCase()}</option>)}
                </select>
                <button class={user.isActive ? "danger" : ""} aria-label={`${user.isActive ? "Disable" : "Enable"} ${user.username}`} onClick={() => void changeActive(user)}>
                  {user.isActive ? "Disable" : "Enable"}
                </button>
              </li>
            ))}
          </ul>
          {pages.more && <p><button aria-disabled={pages.busy} onClick={pages.more}>Show more</button></p>}
        </>
      )}
      {dialog}
    </Panel>
  );
}

const ARTICLES: Readonly<Record<Role, string>> = { USER: "a user", MODERATOR: "a moderator", ADMIN: "an admin" };
const RIGHTS: Readonly<Record<Role, string>> = {
  USER: "They see their own tasks, and those of their projects.",
  MODERATOR: "They read and delete the tasks of all users, and read all projects.",
  ADMIN: "They have all rights, and manage users.",
};
