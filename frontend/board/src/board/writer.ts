// What the viewer does with one task: shown at once, and taken back if the server refuses.
import {
  AssignTaskDocument, CreateTaskDocument, DeleteTaskDocument, MoveTaskDocument, RestoreTaskDocument, SetTaskLabelsDocument,
  SetTaskParentDocument, UpdateTaskDocument, type CreateTaskInput, type TaskStatus,
} from "../api/gql/graphql";
import type { Answer } from "./changes";
import type { Context } from "./context";
import { explain } from "./errors";
import type { Fields } from "./fields";
import { forget, type Task } from "./fold";
import type { Submitter } from "./submitter";
import { isAllowed, nearest, route } from "./transitions";
import { STATUS_WORDS } from "./words";

/** A move that can be undone, and the version that it made. */
interface Move {
  readonly task: Task;
  readonly to: TaskStatus;
  readonly version: number;
}

const NOT_YOURS = "You can move only tasks that are your own or assigned to you.";
const NOT_IN_PROJECT = "You can move tasks of this project only as its member, while it is not archived.";

export class Writer {
  /** Undoes the last change that can be undone. */
  #last: (() => Promise<void>) | null = null;

  /** The last task that is being created in a column: one follows another, so that their order is that of typing. */
  #adding: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: Context, private readonly submitter: Submitter) {}

  async create(input: CreateTaskInput, isQuiet = false): Promise<Answer> {
    const asked = this.store.state.board;
    const projectId = this.store.state.project?.id ?? null;
    const answer = await this.submitter.changes.create(CreateTaskDocument, { ...input, projectId });
    this.submitter.take(answer, asked);
    if (answer.made && !isQuiet) this.store.notice("DONE", `Created “${input.title.trim()}”.`);
    return answer;
  }

  /** Creates a task with this title in a column, behind those that were asked for before. Answers what is wrong, or null. */
  createIn(status: TaskStatus, title: string, parentId: string | null = null): Promise<string | null> {
    const answer = this.#adding.then(() => this.#createIn(status, title, parentId));
    this.#adding = answer;
    return answer;
  }

  async #createIn(status: TaskStatus, title: string, parentId: string | null): Promise<string | null> {
    const answer = await this.create({ title, ...(parentId !== null && { parentId }) }, true);
    if (!answer.made) return explain(answer);
    this.store.notice("SAID", `Created “${title.trim()}”.`);
    const { task } = answer;
    if (!task || status === "TODO") return null;
    const moved = await this.submitter.pending(task.id, { status }, () => this.#send(task.id, status, task.version));
    return moved.made ? null : `“${task.title}” is in ${STATUS_WORDS.TODO}: ${explain(moved)}`;
  }

  async move(id: string, status: TaskStatus): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task || task.status === status) return;
    const problem = this.refusal(task, status);
    if (problem) return this.store.notice("REFUSED", problem);
    const answer = await this.submitter.pending(id, { status }, () => this.#send(id, status, task.version));
    if (!answer.made) return this.submitter.refuse(`“${task.title}” is back in ${this.whereabouts(task)}`, answer);
    const move: Move = { task, to: status, version: answer.task?.version ?? task.version + 1 };
    this.offerUndo(`Moved “${task.title}” to ${STATUS_WORDS[status]}.`, () => this.#moveBack(move));
  }

  /** To the nearest column on one side that accepts the task. */
  async step(id: string, step: -1 | 1): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task) return;
    if (!task.viewerCanUpdateStatus) return this.refuseMove();
    const status = nearest(task.status, step);
    if (status) return this.move(id, status);
    const side = step < 0 ? "left" : "right";
    this.store.notice("REFUSED", `From ${STATUS_WORDS[task.status]} there is no move to the ${side}.`);
  }

  /** Says why a task offers no moves. */
  refuseMove(): void {
    this.store.notice("REFUSED", this.#notYours());
  }

  /** Undoes the last move or deletion. */
  async undo(): Promise<void> {
    const last = this.#last;
    if (!last) return this.store.notice("DONE", "There is no move to undo.");
    this.#last = null;
    this.store.withdrawUndo();
    await last();
  }

  /** Says what was done, and how to take it back: only the last change can be. */
  offerUndo(text: string, undo: () => Promise<void>): void {
    this.store.withdrawUndo();
    this.#last = undo;
    this.store.notice("DONE", text, () => void this.undo());
  }

  /** A change that cannot be undone was made: undoing what came before could overwrite it. */
  forgetUndo(): void {
    this.#last = null;
    this.store.withdrawUndo();
  }

  async assign(id: string, assignee: Task["assignee"]): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task) return;
    const answer = await this.submitter.pending(id, { assignee }, () =>
      this.submitter.changes.change(AssignTaskDocument, { id, assigneeId: assignee?.id ?? null }, task.version),
    );
    if (answer.made) this.store.notice("SAID", `Assigned “${task.title}” to ${assignee?.username ?? "nobody"}.`);
    else this.submitter.refuse(`“${task.title}” was not assigned`, answer);
  }

  async setLabels(id: string, labelIds: readonly string[]): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task) return;
    const labels = { nodes: labelIds.map((each) => ({ id: each })) };
    const answer = await this.submitter.pending(id, { labels }, () =>
      this.submitter.changes.change(SetTaskLabelsDocument, { id, labelIds: [...labelIds] }, task.version),
    );
    if (!answer.made) this.submitter.refuse(`The labels of “${task.title}” are as before`, answer);
  }

  /** Removes the parent of a subtask. */
  async detach(id: string): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task) return;
    const answer = await this.submitter.pending(id, { parent: null }, () =>
      this.submitter.changes.change(SetTaskParentDocument, { id, parentId: null }, task.version),
    );
    if (answer.made) this.store.notice("DONE", `“${task.title}” is no longer a subtask.`);
    else this.submitter.refuse(`“${task.title}” is still a subtask`, answer);
  }

  /** The answer is the form's to show. *task* is what the fields were merged with. */
  update(task: Task, fields: Partial<Fields>): Promise<Answer> {
    return this.submitter.pending(task.id, fields, () =>
      this.submitter.changes.change(UpdateTaskDocument, { id: task.id, ...fields }, task.version),
    );
  }

  async remove(task: Task): Promise<void> {
    const answer = await this.submitter.pending(task.id, null, () =>
      this.submitter.changes.change(DeleteTaskDocument, { id: task.id }, task.version),
    );
    if (!answer.made) return this.submitter.refuse(`“${task.title}” was not deleted`, answer);
    this.store.set(({ board }) => ({ board: forget(board, task.id) }));
    this.offerUndo(`Deleted “${task.title}”.`, async () => void (await this.restore(task.id, task.title)));
  }

  /** Brings a deleted task back: the stream delivers it. Answers whether it did. */
  async restore(id: string, title: string): Promise<boolean> {
    const answer = await this.submitter.changes.create(RestoreTaskDocument, { id });
    if (answer.made) this.store.notice("DONE", `Restored “${title}”.`);
    else this.submitter.refuse(`“${title}” was not restored`, answer);
    return answer.made;
  }

  /** Why the task cannot go to this column; null: it can. */
  refusal(task: Task, status: TaskStatus): string | null {
    if (!task.viewerCanUpdateStatus) return this.#notYours();
    if (task.status === status || isAllowed(task.status, status)) return null;
    return `A task cannot go from ${STATUS_WORDS[task.status]} to ${STATUS_WORDS[status]}.`;
  }

  whereabouts(task: Task): string {
    return STATUS_WORDS[(this.store.state.board.tasks.get(task.id) ?? task).status];
  }

  /** Where no single move leads back, several do. */
  async sendBack({ task, to, version }: Move): Promise<Answer> {
    let answer: Answer = { made: true, task: null, skew: null };
    for (const status of route(to, task.status)) {
      answer = await this.#send(task.id, status, answer.made ? (answer.task?.version ?? version) : version);
      if (!answer.made) break;
    }
    return answer;
  }

  /** Unless another user has changed the task since. */
  async #moveBack(move: Move): Promise<void> {
    const { id, title, status } = move.task;
    const answer = await this.submitter.pending(id, { status }, () => this.sendBack(move));
    if (answer.made) this.store.notice("DONE", `Moved “${title}” back to ${STATUS_WORDS[status]}.`);
    else this.submitter.refuse(`“${title}” stays in ${this.whereabouts(move.task)}`, answer);
  }

  #send(id: string, status: TaskStatus, seen: number): Promise<Answer> {
    return this.submitter.changes.change(MoveTaskDocument, { id, status }, seen);
  }

  #notYours(): string {
    return this.store.projectKey === null ? NOT_YOURS : NOT_IN_PROJECT;
  }
}
