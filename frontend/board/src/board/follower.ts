// Keeps the board equal to the server: reads the lists, subscribes to changes, reconnects, and compares.
import { RequestError } from "@taskriver/client";

import {
  NewestDocument, ProjectChangesDocument, SubtasksDocument, TaskByKeyDocument, TaskChangesDocument, TaskDocument, TotalsDocument,
  type SubtasksQuery,
} from "../api/gql/graphql";
import { knows } from "../stream/catching_up";
import { placeOf } from "../stream/position";
import type { LineHooks } from "../stream/line";
import * as standing from "../stream/standing";
import { isKey } from "./address";
import { asked, type Wanted } from "./columns";
import type { Context } from "./context";
import { fold, learn, merge, reset, trim, type Board, type Item, type Task } from "./fold";
import { onceAFrame } from "./frames";
import { differences, findTasks, mend, MOST, readLists, type Lists } from "./lists";
import { readProjects } from "./project";
import { needsOf, within } from "./project_items";
import { ProjectReader } from "./project_reader";
import { inWords } from "./words";

const PAUSE = 1_000;
const GLANCE = 50;
const TYPING = 300;
/** The time for the replay of missed items, before the lists are compared with the board. */
const PATIENCE = 10_000;
const ROUNDS = 3;

export class Follower implements LineHooks {
  #waiting: Item[] = [];
  #ended = false;
  #stopping = false;
  #attempt = 0;
  #counting = false;
  #unsubscribe = () => {};
  readonly project: ProjectReader;
  readonly #takeIn = onceAFrame(() => this.#fold());

  constructor(private readonly store: Context) {
    this.project = new ProjectReader(store, () => this.#lose());
  }

  async start(): Promise<void> {
    void this.readProjects();
    if (!(await this.#openProject())) return;
    const lists = await this.#insist(() =>
      readLists(this.store.api, this.#projectId, (tasks) => this.store.set(({ board }) => ({ board: merge(board, tasks) }))),
    );
    if (!lists || this.#ended) return;
    this.#take(lists, merge(this.store.state.board, lists.tasks, placeOf(lists.cursor)));
    this.#subscribe(lists.cursor);
  }

  /** The projects to switch to, and whether the viewer may create others. */
  async readProjects(): Promise<void> {
    const found = await this.#insist(() => readProjects(this.store.api));
    if (found) this.store.set(found);
  }

  /**
   * Reads one task, by its id or its key, and takes it in. Answers whether there is one that the viewer may see; the
   * address then has its id, and leads to its own project. Throws `RequestError`.
   */
  async read(name: string): Promise<boolean> {
    const before = this.store.state.board;
    const { api } = this.store;
    const { task } = isKey(name) ? await api.ask(TaskByKeyDocument, { key: name }) : await api.ask(TaskDocument, { id: name });
    if (!task) return false;
    const isHere = this.store.projectKey === null || task.project?.id === this.#projectId;
    if (isHere) this.store.set(({ board }) => ({ board: learn(board, task, before) }));
    this.#lead(name, task, isHere);
    return true;
  }

  /** Reads the subtasks of a task: a board that does not hold all tasks may lack some. */
  async readSubtasks(id: string): Promise<void> {
    let after: string | null = null;
    do {
      const { task }: SubtasksQuery = await this.store.api.ask(SubtasksDocument, { id, after });
      if (!task) return;
      this.store.set(({ board }) => ({ board: merge(board, task.subtasks.nodes) }));
      after = task.subtasks.pageInfo.hasNextPage ? task.subtasks.pageInfo.endCursor : null;
    } while (after !== null);
  }

  end(): void {
    this.#ended = true;
    this.project.end();
    this.#unsubscribe();
  }

  drop(): void {
    this.store.api.reconnect();
  }

  stop(milliseconds: number): void {
    this.#stopping = true;
    this.store.api.reconnect(milliseconds);
  }

  /** Reads everything anew and compares: what still differs after a while is a gap, and is mended. */
  async compare(): Promise<void> {
    if (this.store.state.comparison === "COMPARING" || this.store.state.missing) return;
    this.store.set({ comparison: "COMPARING" });
    let differing: string[] | null = null;
    let lists: Lists | null = null;
    for (let round = 0; round < ROUNDS && differing?.length !== 0; round++) {
      if (round) await pause(PAUSE);
      lists = await this.#insist(() => readLists(this.store.api, this.#projectId));
      if (!lists) return;
      await pause(PAUSE / 4);
      this.#fold();
      const found = differences(this.store.state.board, lists);
      differing = (differing ?? [...found]).filter((id) => found.has(id));
    }
    if (!lists) return;
    this.store.set({ comparison: { tasks: lists.tasks.length, differing: differing?.length ?? 0 } });
    if (differing?.length) {
      this.#note(standing.gapped);
      this.store.set(({ board }) => ({ board: mend(board, lists, new Set(differing)) }));
    }
  }

  /** Looks on the server for what is wanted, if the board does not hold everything. It waits until the viewer stops typing. */
  async find(wanted: Wanted): Promise<void> {
    const filter = this.store.state.partial && asked(wanted, this.store.person.id);
    if (!filter) return;
    await pause(TYPING);
    const resets = this.store.state.board.resets;
    if (this.store.navigation.view.wanted !== wanted) return;
    const tasks = await this.#insist(() => findTasks(this.store.api, this.#projectId, filter).catch(unlessItPasses));
    if (tasks && this.store.state.board.resets === resets) this.store.set(({ board }) => ({ board: merge(board, tasks) }));
  }

  // What the line says.

  connected(): void {
    this.#stopping = false;
    this.#note((now) => standing.connected(now, Date.now()));
    if (this.store.state.standing.phase === "CATCHING_UP") void this.#catchUp();
  }

  lost(why: string): void {
    this.#attempt++;
    this.#note((now) => standing.lost(now, why, Date.now(), this.#stopping));
  }

  stands(cursor: string): void {
    this.#note((now) => standing.stands(now, cursor));
  }

  ended(why: string): void {
    this.#note((now) => standing.over(now, why));
  }

  async resync(reason: string): Promise<string | undefined> {
    void this.readProjects();
    await this.#readProject();
    const lists = await this.#insist(() => readLists(this.store.api, this.#projectId));
    if (!lists) throw new Error("The board is closed.");
    this.#waiting = [];
    this.#take(lists, reset(this.store.state.board, lists.tasks, lists.cursor));
    if (reason !== "ACCESS") this.#note(standing.gapped);
    this.store.notice("DONE", RESYNCED[reason] ?? "The board was read again.");
    return lists.cursor ?? undefined;
  }

  get #projectId(): string | null {
    return this.store.state.project?.id ?? null;
  }

  /** Answers whether the board can be read. A key that the project had before leads to its present one. */
  async #openProject(): Promise<boolean> {
    if (this.store.projectKey === null) return true;
    await this.#readProject();
    return !this.#ended && this.store.state.project !== null;
  }

  async #readProject(): Promise<void> {
    await this.#insist(() => this.project.read());
  }

  /** There is no such project, or not for this viewer any more. */
  #lose(): void {
    this.#unsubscribe();
    this.store.set(({ board }) => ({ missing: true, loaded: true, board: reset(board, [], null) }));
    this.#note((now) => standing.over(now, "The project is not there, or you may not see it."));
    void this.readProjects();
  }

  #subscribe(after: string | null): void {
    const { api } = this.store;
    const take = (item: Item | undefined) => {
      if (item) this.#receive(within(this.#projectId, item));
      else void this.compare(); // an error took the place of an item: whatever it was, the lists have it
    };
    this.#unsubscribe = this.#projectId === null
      ? api.receive(TaskChangesDocument, { after }, (data) => take(data?.taskChanged))
      : api.receive(ProjectChangesDocument, { projectId: this.#projectId, after }, (data) => take(data?.projectChanged));
  }

  /** The address names the task by what was read. */
  #lead(name: string, { id, project }: Task, isHere: boolean): void {
    const { navigation } = this.store;
    if (navigation.view.task !== name || (isHere && name === id)) return;
    navigation.replace((view) => ({ ...view, task: id, ...(!isHere && { project: project?.key ?? null }) }));
  }

  #receive(item: Item): void {
    const received = Date.now();
    this.#note((now) => standing.delivered(now, item, received, this.store.state.skew));
    this.#waiting.push(item);
    this.#takeIn();
  }

  #fold(): void {
    const items = this.#waiting;
    if (!items.length) return;
    this.#waiting = [];
    this.store.set(({ board }) => ({ board: fold(board, items) }));
    for (const item of items) this.#touch(item);
    this.#heed(items);
    for (const id of new Set(items.filter(isHidden).map(({ taskId }) => taskId!))) void this.#insist(() => this.read(id));
    if (this.store.state.partial) this.#bound();
  }

  /** What the items of a project say of more than its tasks. */
  #heed(items: readonly Item[]): void {
    const needs = needsOf(items);
    if (needs.gone) return this.#lose();
    for (const id of needs.deletedLabels) this.project.forgetLabel(id);
    if (needs.project) void this.#readProject();
    if (needs.tasks) void this.#readAgain();
    if (needs.members) this.store.set(({ membersSeen }) => ({ membersSeen: membersSeen + 1 }));
    for (const id of needs.comments) this.commentsChanged(id);
  }

  commentsChanged(id: string): void {
    this.store.set(({ commented }) => ({ commented: new Map(commented).set(id, (commented.get(id) ?? 0) + 1) }));
  }

  /** Ranks and rights change without new versions. */
  async #readAgain(): Promise<void> {
    const lists = await this.#insist(() => readLists(this.store.api, this.#projectId));
    if (lists) this.store.set(({ board }) => ({ board: merge(board, lists.tasks) }));
  }

  /** Of more tasks than the board can hold, it drops the ones that changed first; what a filter found is read again. */
  #bound(): void {
    void this.#count();
    const { board, drafts, pendingChanges } = this.store.state;
    const { task, wanted } = this.store.navigation.view;
    const bounded = trim(board, MOST, [...(task ? [task] : []), ...drafts.keys(), ...pendingChanges.map(({ taskId }) => taskId)]);
    if (bounded === board) return;
    this.store.set({ board: bounded });
    void this.find(wanted);
  }

  #touch(item: Item): void {
    if (item.__typename !== "TaskChanged" || item.taskId === null) return;
    const by = item.by?.username ?? "the operator";
    if (by !== this.store.person.username) this.store.touch(item.taskId, { by, what: inWords(item.changes) });
  }

  #take({ partial, cursor }: Lists, board: Board): void {
    this.store.set({ board, partial, loaded: true });
    if (cursor !== null) this.#note((now) => standing.stands(now, cursor));
    if (partial) void this.#count();
  }

  /** Until everything that the server knows is here; every connection has its own attempt. */
  async #catchUp(): Promise<void> {
    const mine = this.#attempt;
    const late = Date.now() + PATIENCE;
    while (this.#isTrying(mine)) {
      const newest = await this.#insist(() => this.store.api.ask(NewestDocument, { projectId: this.#projectId }));
      if (!newest || !this.#isTrying(mine)) return;
      this.#note((now) => standing.headed(now, newest.tasks.streamCursor));
      for (let waited = 0; waited < PAUSE; waited += GLANCE) {
        this.#fold();
        if (knows(this.store.state.board, newest.tasks, this.store.state.partial)) {
          return this.#note(standing.caughtUp);
        }
        await pause(GLANCE);
        if (!this.#isTrying(mine)) return;
      }
      if (Date.now() > late) {
        await this.compare();
        if (this.#isTrying(mine)) return this.#note(standing.caughtUp);
      }
    }
  }

  #isTrying(attempt: number): boolean {
    return !this.#ended && this.#attempt === attempt;
  }

  async #count(): Promise<void> {
    if (this.#counting) return;
    this.#counting = true;
    await pause(PAUSE);
    const projectId = this.#projectId;
    const asked = projectId === null ? {} : { projectId, isSubtask: false };
    const found = await this.#insist(() => this.store.api.ask(TotalsDocument, asked));
    this.#counting = false;
    if (!found) return;
    const { TODO, IN_PROGRESS, DONE, CANCELLED } = found;
    this.store.set({
      totals: {
        TODO: TODO.totalCount,
        IN_PROGRESS: IN_PROGRESS.totalCount,
        DONE: DONE.totalCount,
        CANCELLED: CANCELLED.totalCount,
      },
    });
  }

  /** The response, after any number of attempts; null when it is no longer needed. */
  async #insist<T>(work: () => Promise<T>): Promise<T | null> {
    let failed: string | null = null;
    for (;;) {
      if (this.#ended) return null;
      try {
        const found = await work();
        this.#note((now) => (now.why === failed ? { ...now, why: null } : now));
        return found;
      } catch (error) {
        failed = `${error instanceof Error ? error.message : String(error)} Asking again …`;
        this.#note((now) => ({ ...now, why: now.why ?? failed }));
        await pause(PAUSE);
      }
    }
  }

  #note(change: (now: standing.Standing) => standing.Standing): void {
    this.store.set((state) => ({ standing: change(state.standing) }));
  }
}

const RESYNCED: Readonly<Record<string, string>> = {
  ACCESS: "Your rights have changed, so the board was read again.",
  TRIMMED: "You were away for longer than events are kept, so the board was read again.",
  EPOCH: "The server's history was replaced, so the board was read again.",
  FUTURE: "The server knows less than before, so the board was read again.",
};

/** A change without its task. */
function isHidden({ __typename, taskId, task }: Item): boolean {
  return taskId !== null && !task && __typename !== "TaskDeleted" && __typename !== "TaskGone";
}

/** What the server will not answer, however often it is asked, finds nothing. */
function unlessItPasses(error: unknown): null {
  if (error instanceof RequestError && !error.isTemporary) return null;
  throw error;
}

const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
