import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { TaskStatus } from "../api/gql/graphql";
import { isOpen, ofProject } from "../board/address";
import { columns, isFiltered, STATUSES, topLevel, type Wanted } from "../board/columns";
import type { ShownTask } from "../board/pending_changes";
import { MOST } from "../board/lists";
import { mayCreate } from "../board/project";
import type { Store } from "../board/store";
import { progressOf } from "../board/subtasks";
import { isAllowed } from "../board/transitions";
import { STATUS_WORDS } from "../board/words";
import { Columns } from "./Columns";
import { ConfirmDialog } from "../../../common/ui/ConfirmDialog";
import { Header } from "./Header";
import { StatusIcon } from "./icons";
import { MoveMenu } from "./MoveMenu";
import { Notices } from "./Notices";
import { OpenForm } from "./OpenForm";
import { OpenPanel } from "./OpenPanel";
import type { Panel } from "./panels";
import { SelectionBar } from "./SelectionBar";
import { useSelecting } from "./selecting";
import { StreamFooter } from "./StreamFooter";
import { useChanges, useClock, useUnloadQuestion } from "../../../common/ui/use";
import { useShortcuts } from "./use";

const MINUTE = 60_000;

/** What stands over the board, and is not in its address. */
type Over = { kind: "PANEL"; panel: Panel } | { kind: "MENU"; id: string; anchor: Element };

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
  useUnloadQuestion(isOpen(view) || over?.kind === "PANEL", () => store.isUnsaved);
  useEffect(() => void store.follow.find(wanted), [wanted, state.partial]);

  const { shown, totals, labels, progress, isManual } = useShown(store);
  const selecting = useSelecting(store, shown);
  const close = () => setOver(null);
  const openPanel = (panel: Panel) => setOver({ kind: "PANEL", panel });
  const create = isWritable(store) ? () => navigation.push((before) => ({ ...before, task: null, creating: true })) : null;
  const want = (change: (wanted: Wanted) => Wanted) => {
    navigation.replace((before) => ({ ...before, wanted: change(before.wanted) }));
  };
  const showSearch = () => {
    setExpanded(true);
    queueMicrotask(() => search.current?.focus()); // behind the drawing that shows it
  };
  useShortcuts({
    n: () => create?.(), "/": showSearch, "?": () => openPanel("SHORTCUTS"), z: () => void store.write.undo(),
  });
  const openMenu = (id: string, anchor: Element) => {
    if (tasks.get(id)?.viewerCanUpdateStatus) setOver({ kind: "MENU", id, anchor });
    else store.write.refuseMove();
  };
  const stepPlace = (id: string, step: -1 | 1) => {
    const task = store.tasks.get(id);
    if (task) void store.place.step(columns(topLevel(store.tasks.values(), wanted), wanted, person.id)[task.status], id, step);
  };
  const menu = over?.kind === "MENU" ? tasks.get(over.id) : undefined;

  return (
    <div class="page">
      <Header
        store={store} search={search} expanded={expanded} filtered={isFiltered(wanted)} onPanel={openPanel}
        onExpand={() => setExpanded((before) => !before)} onWanted={want} onNew={create} onSignOut={onSignOut}
      />
      <Tabs totals={totals} />
      <Remarks store={store} />
      <Columns
        columns={shown} totals={totals} state={state} today={today} wanted={wanted} labels={labels} progress={progress}
        selected={selecting.selected} onSelect={selecting.select}
        onMove={(id, status, spot, origin) => void (spot ? store.place.put(id, status, spot, origin) : store.write.move(id, status))}
        onStep={(id, step) => void store.write.step(id, step)} onPlaceStep={isManual ? stepPlace : null}
        onOpen={(id) => navigation.push((before) => ({ ...before, task: id, creating: false }))} onMenu={openMenu}
        onAdd={create && ((status, title) => store.write.createIn(status, title))}
        accepts={(id, status) => accepts(store.tasks.get(id), status, isManual)}
      >
        {over?.kind === "MENU" && menu && (
          <MoveMenu
            key={over.id} task={menu} anchor={over.anchor} onClose={close}
            onMove={(status) => void store.write.move(over.id, status)} onStep={isManual ? (step) => stepPlace(over.id, step) : null}
            isSelected={selecting.selected.has(over.id)} onSelect={() => selecting.select(over.id, false)}
          />
        )}
      </Columns>
      <SelectionBar count={selecting.selected.size} onMove={selecting.move} onClear={selecting.clear} />
      <StreamFooter store={store} onShortcuts={() => openPanel("SHORTCUTS")} />
      <OpenForm store={store} view={view} />
      {over?.kind === "PANEL" && <OpenPanel store={store} panel={over.panel} onClose={close} />}
      {state.question && <ConfirmDialog key={state.question.id} question={state.question} />}
      <Notices store={store} covered={!isMounted || view.task !== null || view.creating || over?.kind === "PANEL"} />
    </div>
  );
}

/** What the columns show of the tasks. */
function useShown(store: Store) {
  const { state, tasks, projectKey, person: { id }, navigation: { view: { wanted } } } = store;
  const ofBoard = useMemo(
    () => [...(projectKey === null ? tasks.values() : topLevel(tasks.values(), wanted))], [tasks, projectKey, wanted],
  );
  const shown = useMemo(() => columns(ofBoard, wanted, id), [ofBoard, wanted, id]);
  const counted = useMemo(() => count(ofBoard), [ofBoard]);
  const progress = useMemo(() => progressOf(tasks.values()), [tasks]);
  const labels = useMemo(() => new Map((state.project?.labels ?? []).map((label) => [label.id, label])), [state.project]);
  return {
    shown, labels, totals: state.partial ? state.totals : counted, progress: state.partial ? null : progress,
    isManual: wanted.order === "RANK",
  };
}

function isWritable({ projectKey, person, state: { project, missing } }: Store): boolean {
  if (projectKey === null) return true;
  return !missing && project !== null && mayCreate(project, person.role === "ADMIN");
}

function accepts(task: ShownTask | undefined, status: TaskStatus, isManual: boolean): boolean {
  if (!task?.viewerCanUpdateStatus) return false;
  return task.status === status ? isManual : isAllowed(task.status, status);
}

/** What there is to know of the board as a whole. */
function Remarks({ store }: { store: Store }) {
  const { state: { partial, missing, project }, projectKey, navigation } = store;
  if (missing) {
    return (
      <p class="partial" role="alert">
        There is no project {projectKey}, or you may not see it.{" "}
        <button class="quiet" onClick={() => navigation.push(() => ofProject(null))}>Show all tasks</button>
      </p>
    );
  }
  const { label } = navigation.view.wanted;
  if (project && label !== null && !project.labels.some(({ id }) => id === label)) {
    const showAll = () => navigation.replace((view) => ({ ...view, wanted: { ...view.wanted, label: null } }));
    return (
      <p class="partial" role="alert">
        The label that you filter by was deleted. <button class="quiet" onClick={showAll}>Remove this filter</button>
      </p>
    );
  }
  if (!partial && !project?.isArchived) return null;
  return (
    <p class="partial" role="note">
      {project?.isArchived && "This project is archived: its tasks can be read, but not changed. "}
      {partial && `There are more tasks than the board can hold. It shows the ${MOST.toLocaleString("en")} that changed last.
        Search and filters find older ones, too.`}
    </p>
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
