import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Session } from "../../../common/session";
import type { TaskStatus } from "../api/gql/graphql";
import { columns, STATUSES } from "../board/columns";
import { hopeful, type ShownTask } from "../board/optimism";
import { MOST } from "../board/lists";
import type { Store } from "../board/store";
import { STATUS_WORDS } from "../board/words";
import { Columns } from "./Columns";
import { StatusIcon, Mark } from "./icons";
import { MoveMenu } from "./MoveMenu";
import { NewTaskDialog } from "./NewTaskDialog";
import { Notices } from "./Notices";
import { StreamFooter } from "./StreamFooter";
import { TaskDialog } from "./TaskDialog";
import { Toolbar } from "./Toolbar";
import { useChanges, useClock } from "./use";

const MINUTE = 60_000;

/** What stands over the board. */
type Over = { kind: "NEW" } | { kind: "TASK"; id: string } | { kind: "MENU"; id: string; anchor: Element };

export function BoardPage({ store, session }: { store: Store; session: Session }) {
  useChanges(store);
  const { state, person } = store;
  const [over, setOver] = useState<Over | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const now = useClock(MINUTE);
  const today = now - (now % MINUTE);

  const tasks = useMemo(() => hopeful(state.board.tasks, state.hopes), [state.board.tasks, state.hopes]);
  const shown = useMemo(() => columns(tasks.values(), state.wanted, person.id), [tasks, state.wanted, person.id]);
  const counted = useMemo(() => count(tasks.values()), [tasks]);
  const totals = state.partial ? state.totals : counted;
  const close = () => setOver(null);
  const move = (id: string, status: TaskStatus) => {
    const task = tasks.get(id);
    if (task) void store.write.move(task, status);
  };
  useShortcuts({ n: () => setOver({ kind: "NEW" }), "/": () => search.current?.focus() });

  const chosen = over && over.kind !== "NEW" ? tasks.get(over.id) : undefined;
  const vanished = over?.kind === "TASK" && !chosen;
  useEffect(() => {
    if (!vanished) return;
    close();
    store.notice("DONE", "That task is not there for you any more.");
  }, [vanished]);

  return (
    <div class="page">
      <header class="top">
        <h1><Mark /> Taskriver</h1>
        <Toolbar
          wanted={state.wanted} search={search} onNew={() => setOver({ kind: "NEW" })}
          onWanted={(wanted) => {
            store.set({ wanted });
            void store.follow.find(wanted);
          }}
        />
        <p class="who">
          <span>{person.username} <small>{person.role.toLowerCase()}</small></span>
          <button
            class="quiet"
            onClick={() => session.signOut().catch((error: Error) => store.notice("REFUSED", error.message))}
          >
            Sign out
          </button>
        </p>
      </header>
      <Tabs totals={totals} />
      {state.partial && (
        <p class="partial" role="note">
          There are more tasks than a board can hold: these are the {MOST.toLocaleString("en")} that changed last.
          Search and filters find older ones, too.
        </p>
      )}
      <Columns
        columns={shown} totals={totals} state={state} today={today} onMove={move}
        onOpen={(id) => setOver({ kind: "TASK", id })} onMenu={(id, anchor) => setOver({ kind: "MENU", id, anchor })}
      >
        {over?.kind === "MENU" && chosen && (
          <MoveMenu key={over.id} task={chosen} anchor={over.anchor} onMove={(status) => move(over.id, status)} onClose={close} />
        )}
      </Columns>
      <StreamFooter store={store} />
      {over?.kind === "NEW" && <NewTaskDialog store={store} onClose={close} />}
      {over?.kind === "TASK" && chosen && <TaskDialog key={over.id} store={store} task={chosen} onClose={close} />}
      {(!over || over.kind === "MENU") && <Notices store={store} />}
    </div>
  );
}

/** On a narrow screen, where one column fills it: which there are, and a way to each. */
function Tabs({ totals }: { totals: Readonly<Record<TaskStatus, number>> | null }) {
  const show = (status: TaskStatus) => document.querySelector(`[data-status=${status}]`)?.scrollIntoView();
  return (
    <nav class="tabs" aria-label="Columns">
      {STATUSES.map((status) => (
        <button key={status} onClick={() => show(status)}>
          <StatusIcon status={status} /> <span class="count">{totals?.[status].toLocaleString("en") ?? "…"}</span>
          <span class="name">{STATUS_WORDS[status]}</span>
        </button>
      ))}
    </nav>
  );
}

function count(tasks: Iterable<ShownTask>): Record<TaskStatus, number> {
  const found = { TODO: 0, IN_PROGRESS: 0, DONE: 0, CANCELLED: 0 };
  for (const { status } of tasks) found[status]++;
  return found;
}

/** Single keys that work wherever nobody is writing. */
function useShortcuts(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as Element;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog, [popover]")) return;
      const work = keys[event.key];
      if (!work) return;
      event.preventDefault();
      work();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  });
}
