// The state of the page: the server's tasks, pending changes, and the state of the stream.
import type { Question } from "../../../common/question";
import type { Session } from "@taskriver/client";

import { createApi, type Api } from "../api/api";
import { isKey, type View } from "./address";
import { Collector } from "./collector";
import type { Context } from "./context";
import { isUnsaved, type Draft } from "./draft";
import { DraftStorage, NEW, projectStorage } from "./drafts";
import { Editor } from "./editor";
import { fieldsOf } from "./fields";
import { Follower } from "./follower";
import type { Task } from "./fold";
import { onceAFrame } from "./frames";
import { Labels } from "./labels";
import type { Navigation } from "./navigation";
import { withPendingChanges, type ShownTask } from "./pending_changes";
import { Settings, type ProjectEdit } from "./settings";
import { FIRST, type Notice, type Person, type State, type Touch } from "./state";
import { Placer } from "./placer";
import { Submitter } from "./submitter";
import { Team } from "./team";
import { Writer } from "./writer";

const TOUCHED = 4_000;

/** What an open dialog that is not in the address holds. */
export interface Unsaved {
  isUnsaved(): boolean;
  forget(): void;
}

export class Store implements Context {
  state: State;
  readonly api: Api;
  readonly follow: Follower;
  readonly write: Writer;
  readonly place: Placer;
  readonly collect: Collector;
  readonly submit: Submitter;
  readonly team: Team;
  readonly labels: Labels;
  readonly settings: Settings;
  readonly edit: Editor;
  /** Comments that were typed and not sent, by the id of the task. */
  readonly comments = new Map<string, string>();
  /** Of the open dialog, if there is one that can hold something. */
  dialog: Unsaved | null = null;
  readonly #storage: DraftStorage;
  readonly #projectStorage: DraftStorage<ProjectEdit>;
  readonly #listeners = new Set<() => void>();
  #notices = 0;
  #questions = 0;
  #shown: { state: State; tasks: ReadonlyMap<string, ShownTask> } | null = null;
  readonly #notify = onceAFrame(() => this.#listeners.forEach((listener) => listener()));

  constructor(
    session: Session, readonly person: Person, readonly navigation: Navigation, public projectKey: string | null = null,
  ) {
    this.#storage = new DraftStorage(person.id);
    this.#projectStorage = projectStorage(person.id);
    this.state = { ...FIRST, drafts: this.#storage.read(), projectEdits: this.#projectStorage.read() };
    this.follow = new Follower(this);
    this.api = createApi(session, this.follow);
    this.submit = new Submitter(this);
    this.write = new Writer(this, this.submit);
    this.place = new Placer(this, this.submit, this.write);
    this.collect = new Collector(this, this.submit, this.write);
    this.team = new Team(this, this.submit);
    this.labels = new Labels(this, this.submit);
    this.settings = new Settings(this, this.submit);
    this.edit = new Editor(this);
    navigation.guard = () => this.#mayLeave();
    navigation.names = {
      nameOf: (id) => this.state.board.tasks.get(id)?.key ?? id,
      idOf: (name) => (isKey(name) ? (this.#byKey(name)?.id ?? name) : name),
    };
    if (navigation.arrival?.said) this.notice("DONE", navigation.arrival.said);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(change: Partial<State> | ((state: State) => Partial<State>)): void {
    this.state = { ...this.state, ...(typeof change === "function" ? change(this.state) : change) };
    this.#notify();
  }

  get tasks(): ReadonlyMap<string, ShownTask> {
    const { board, pendingChanges } = this.state;
    const known = this.#shown;
    if (known?.state.board.tasks === board.tasks && known.state.pendingChanges === pendingChanges) return known.tasks;
    this.#shown = { state: this.state, tasks: withPendingChanges(board.tasks, pendingChanges) };
    return this.#shown.tasks;
  }

  notice(kind: Notice["kind"], text: string, undo?: () => void): void {
    const notice: Notice = { id: ++this.#notices, kind, text, ...(undo && { undo }) };
    this.set(({ notices }) => ({ notices: [...notices.slice(-2), notice] }));
  }

  rename(key: string): void {
    const before = this.projectKey!;
    this.projectKey = key;
    this.navigation.rename(before, key);
  }

  withdrawUndo(): void {
    this.set(({ notices }) => ({ notices: notices.filter(({ undo }) => !undo) }));
  }

  dismiss(id: number): void {
    this.set(({ notices }) => ({ notices: notices.filter((each) => each.id !== id) }));
  }

  /** Asks the viewer; a question that is still open is answered with no. */
  ask(question: Omit<Question, "id" | "answer">): Promise<boolean> {
    this.state.question?.answer(false);
    return new Promise((resolve) => {
      const id = ++this.#questions;
      const answer = (yes: boolean) => {
        if (this.state.question?.id === id) this.set({ question: null });
        resolve(yes);
      };
      this.set({ question: { ...question, id, answer } });
    });
  }

  draft(key: string, change: (draft: Draft | undefined) => Draft | null): void {
    const drafts = new Map(this.state.drafts);
    const draft = change(drafts.get(key));
    if (draft) drafts.set(key, draft);
    else drafts.delete(key);
    this.set({ drafts });
    this.#storage.write(drafts);
  }

  projectEdit(id: string, change: (edit: ProjectEdit | undefined) => ProjectEdit | undefined): void {
    const projectEdits = new Map(this.state.projectEdits);
    const edit = change(projectEdits.get(id));
    if (edit) projectEdits.set(id, edit);
    else projectEdits.delete(id);
    this.set({ projectEdits });
    this.#projectStorage.write(projectEdits);
  }

  /** Whether the open form has text that is not saved. */
  get isUnsaved(): boolean {
    if (this.dialog?.isUnsaved()) return true;
    const draft = this.state.drafts.get(this.#openKey() ?? "");
    const task = this.state.board.tasks.get(this.navigation.view.task ?? "");
    return !!draft && isUnsaved(draft, task ? fieldsOf(task) : draft.base);
  }

  /** Closes the open form; asks first if text would be lost. */
  async close(): Promise<void> {
    if (await this.#mayLeave()) this.navigation.close();
  }

  /** Whether what is typed in the open dialog may be lost, which is forgotten then. */
  async mayLeaveDialog(): Promise<boolean> {
    return this.#mayLeaveDialog();
  }

  /** Opens another task in place of the open form; asks first if text would be lost. */
  async show(task: string): Promise<void> {
    if (await this.#mayLeave()) this.navigation.replace((view) => ({ ...view, task, creating: false }));
  }

  /** Shows another view, such as another board; asks first if text would be lost. */
  async leaveFor(change: (view: View) => View): Promise<void> {
    if (await this.#mayLeave()) this.navigation.push(change);
  }

  /** Whether the text of the open form may be lost, which is forgotten then. */
  #mayLeave(): true | Promise<boolean> {
    const key = this.#openKey();
    if (key === null) return this.#mayLeaveDialog();
    if (this.isUnsaved) return this.#discard(key);
    if (this.state.drafts.has(key)) this.draft(key, () => null);
    return true;
  }

  #mayLeaveDialog(): true | Promise<boolean> {
    const { dialog } = this;
    if (!dialog?.isUnsaved()) return true;
    return this.#askToDiscard(() => dialog.forget());
  }

  #discard(key: string): Promise<boolean> {
    return this.#askToDiscard(() => this.draft(key, () => null));
  }

  async #askToDiscard(discard: () => void): Promise<boolean> {
    const yes = await this.ask({
      title: "Discard your changes?", text: "What you have typed is not saved.", yes: "Discard", no: "Keep editing",
    });
    if (yes) discard();
    return yes;
  }

  touch(taskId: string, touch: Touch): void {
    this.set(({ touched }) => ({ touched: new Map(touched).set(taskId, touch) }));
    setTimeout(() => {
      if (this.state.touched.get(taskId) !== touch) return;
      const touched = new Map(this.state.touched);
      touched.delete(taskId);
      this.set({ touched });
    }, TOUCHED);
  }

  /** Closes the stream. The drafts stay in the storage. */
  end(): void {
    this.navigation.guard = () => true;
    this.follow.end();
    this.api.end();
  }

  /** Forgets everything that was typed and not saved: the viewer signs out. */
  forgetDrafts(): void {
    this.#storage.write(new Map());
    this.#projectStorage.write(new Map());
  }

  #byKey(key: string): Task | undefined {
    return [...this.state.board.tasks.values()].find((task) => task.key === key.toUpperCase());
  }

  /** The key of the open form's draft; null: none is open. */
  #openKey(): string | null {
    const { task, creating } = this.navigation.view;
    return creating ? NEW : task;
  }
}

