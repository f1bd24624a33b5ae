import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";

import { settings } from "../../../common/settings";
import { Mark } from "../../../common/ui/Mark";

interface Props {
  readonly user: { readonly username: string; readonly role: string };
  readonly path: string;
  /** Why signing out failed. */
  readonly problem: string;
  readonly onSignOut: () => void;
  readonly children: ComponentChildren;
}

interface Place {
  readonly title: string;
  readonly path: string;
}

const ACCOUNT: Place = { title: "Account", path: "/account" };
const ADMIN: readonly Place[] = [{ title: "Users", path: "/admin" }, { title: "Audit log", path: "/admin/audit" }];

/** What is around each page: its name, the ways to the others, and who is signed in. */
export function ShellPage({ user, path, problem, onSignOut, children }: Props) {
  const places = [ACCOUNT, ...(user.role === "ADMIN" ? ADMIN : [])];
  const here = places.find((place) => place.path === path);
  useLayoutEffect(() => {
    document.title = `${here?.title ?? "Taskriver"} – Taskriver`;
  }, [here]);
  return (
    <>
      <header class="top">
        <h1><Mark /> Taskriver</h1>
        <nav class="links" aria-label="Pages">
          {places.map(({ title, path: to }) => (
            <a key={to} href={to} aria-current={to === path ? "page" : undefined}>{title}</a>
          ))}
          {settings.links?.["Board"] && <a href={settings.links["Board"]}>Board</a>}
        </nav>
        <p class="who">
          <span>{user.username} <small>{user.role.toLowerCase()}</small></span>
          <button class="quiet" onClick={onSignOut}>Sign out</button>
        </p>
      </header>
      <main tabIndex={-1}>
        <p class="problem" role="alert">{problem}</p>
        {children}
      </main>
    </>
  );
}
