import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { isOpen } from "../board/address";
import { columns, isFiltered, STATUSES, type Wanted } from "../board/columns";
import type { ShownTask } from "../board/pending_changes";
import { MOST } from "../board/lists";
import type { Store } from "../board/store";
import { isAllowed } from "../board/transitions";
import { STATUS_WORDS } from "../board/words";
import { Columns } from "./Columns";
import { ConfirmDialog } from "./ConfirmDialog";
import { Header } from "./Header";
import { StatusIcon } from "./icons";
import { MoveMenu } from "./MoveMenu";
import { Notices } from "./Notices";
import { OpenForm } from "./OpenForm";
import { ShortcutsDialog } from "./ShortcutsDialog";
import { StreamFooter } from "./StreamFooter";
import { useChanges, useClock, useShortcuts, useUnloadQuestion } from "./use";

const MINUTE = 60_000;

/** What stands over the board, and is not in its address. */
type Over = { kind: "SHORTCUTS" } | { kind: "MENU"; id: string; anchor: Element };

export function BoardPage({ store, onSignOut }: { store: Store; onSignOut: () => void }) {
  const { navigation, person } = store;
  useChanges(store);
  useChanges(navigation);
  const { state, tasks } = store;
  const { view } = navigation;
  const { wanted } = view;
  const [over, setOver] = useState<Over | null>(null);
  const [expanded, setExpanded] = useState(false);
  const [isMounted, setMounted] = useState(false);
  useEffect(() => setMounted(true), []);
  const search = useRef<HTMLInputElement>(null);
  const now = useClock(MINUTE);
  const today = now - (now % MINUTE);
  useUnloadQuestion(isOpen(view), () => store.isUnsaved);
  useEffect(() => void store.follow.find(wanted), [wanted, state.partial]);

  const shown = useMemo(() => columns(tasks.values(), wanted, person.id), [tasks, wanted, person.id]);
  const counted = useMemo(() => count(tasks.values()), [tasks]);
  const totals = state.partial ? state.totals : counted;
  const close = () => setOver(null);
  const create = () => navigation.push((before) => ({ ...before, task: null, creating: true }));
  const want = (change: (wanted: Wanted) => Wanted) => {
    navigation.replace((before) => ({ ...before, wanted: change(before.wanted) }));
  };
  const showSearch = () => {
    setExpanded(true);
    queueMicrotask(() => search.current?.focus()); // behind the drawing that shows it
  };
  useShortcuts({
    n: create, "/": showSearch, "?": () => setOver({ kind: "SHORTCUTS" }), z: () => void store.write.undo(),
  });
  const openMenu = (id: string, anchor: Element) => {
    if (tasks.get(id)?.viewerCanUpdateStatus) setOver({ kind: "MENU", id, anchor });
    else store.write.refuseMove();
  };
  const menu = over?.kind === "MENU" ? tasks.get(over.id) : undefined;

  return (
    <div class="page">
      <Header
        store={store} search={search} expanded={expanded} filtered={isFiltered(wanted)}
        onExpand={() => setExpanded((before) => !before)} onWanted={want} onNew={create} onSignOut={onSignOut}
      />
      <Tabs totals={totals} />
      {state.partial && (
        <p class="partial" role="note">
          There are more tasks than the board can hold. It shows the {MOST.toLocaleString("en")} that changed last.
          Search and filters find older ones, too.
        </p>
      )}
      <Columns
        columns={shown} totals={totals} state={state} today={today} wanted={wanted}
        onMove={(id, status) => void store.write.move(id, status)} onStep={(id, step) => void store.write.step(id, step)}
        onOpen={(id) => navigation.push((before) => ({ ...before, task: id, creating: false }))} onMenu={openMenu}
        accepts={(id, status) => accepts(store.tasks.get(id), status)}
      >
        {over?.kind === "MENU" && menu && (
          <MoveMenu
            key={over.id} task={menu} anchor={over.anchor} onClose={close}
            onMove={(status) => void store.write.move(over.id, status)}
          />
        )}
      </Columns>
      <StreamFooter store={store} onShortcuts={() => setOver({ kind: "SHORTCUTS" })} />
      <OpenForm store={store} view={view} />
      {over?.kind === "SHORTCUTS" && <ShortcutsDialog store={store} onClose={close} />}
      {state.question && <ConfirmDialog key={state.question.id} question={state.question} />}
      <Notices store={store} covered={!isMounted || view.task !== null || view.creating || over?.kind === "SHORTCUTS"} />
    </div>
  );
}

function accepts(task: ShownTask | undefined, status: TaskStatus): boolean {
  return !!task && task.viewerCanUpdateStatus && isAllowed(task.status, status);
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
