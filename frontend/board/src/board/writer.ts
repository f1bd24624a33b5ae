// What the viewer does: shown at once, and taken back if the server refuses.
import {
  AssignTaskDocument, CreateTaskDocument, DeleteTaskDocument, MoveTaskDocument, UpdateTaskDocument,
  type CreateTaskInput, type TaskStatus,
} from "../api/gql/graphql";
import { narrowed } from "../stream/clock";
import { Changes, type Answer } from "./changes";
import type { Context } from "./context";
import { explain } from "./errors";
import type { Fields } from "./fields";
import { forget, learn, type Board, type Task } from "./fold";
import type { PendingChange } from "./pending_changes";
import { isAllowed, nearest, route } from "./transitions";
import { STATUS_WORDS } from "./words";

/** The last move, and the version that it made. */
interface Move {
  readonly task: Task;
  readonly to: TaskStatus;
  readonly version: number;
}

const NOT_YOURS = "You can move only tasks that are your own or assigned to you.";

export class Writer {
  readonly #changes: Changes;
  #lastKey = 0;
  #last: Move | null = null;

  constructor(private readonly store: Context) {
    this.#changes = new Changes(store.api);
  }

  async create(input: CreateTaskInput): Promise<Answer> {
    const asked = this.store.state.board;
    const answer = await this.#changes.create(CreateTaskDocument, input);
    this.#take(answer, asked);
    if (answer.made) this.store.notice("DONE", `Created “${input.title.trim()}”.`);
    return answer;
  }

  async move(id: string, status: TaskStatus): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task || task.status === status) return;
    const problem = refusal(task, status);
    if (problem) return this.store.notice("REFUSED", problem);
    const answer = await this.#withPending(id, { status }, () => this.#send(id, status, task.version));
    if (!answer.made) return this.#refuse(`“${task.title}” is back in ${this.#whereabouts(task)}`, answer);
    this.store.withdrawUndo();
    this.#last = { task, to: status, version: answer.task?.version ?? task.version + 1 };
    this.store.notice("DONE", `Moved “${task.title}” to ${STATUS_WORDS[status]}.`, () => void this.undo());
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
    this.store.notice("REFUSED", NOT_YOURS);
  }

  /** Undoes the last move, unless another user has changed the task since. */
  async undo(): Promise<void> {
    const last = this.#last;
    if (!last) return this.store.notice("DONE", "There is no move to undo.");
    this.#last = null;
    this.store.withdrawUndo();
    const { id, title, status } = last.task;
    const answer = await this.#withPending(id, { status }, () => this.#sendBack(last));
    if (answer.made) this.store.notice("DONE", `Moved “${title}” back to ${STATUS_WORDS[status]}.`);
    else this.#refuse(`“${title}” stays in ${this.#whereabouts(last.task)}`, answer);
  }

  async assign(id: string, assignee: Task["assignee"]): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task) return;
    const answer = await this.#withPending(id, { assignee }, () =>
      this.#changes.change(AssignTaskDocument, { id, assigneeId: assignee?.id ?? null }, task.version),
    );
    if (answer.made) this.store.notice("SAID", `Assigned “${task.title}” to ${assignee?.username ?? "nobody"}.`);
    else this.#refuse(`“${task.title}” was not assigned`, answer);
  }

  /** The answer is the form's to show. *task* is what the fields were merged with. */
  update(task: Task, fields: Partial<Fields>): Promise<Answer> {
    return this.#withPending(task.id, fields, () =>
      this.#changes.change(UpdateTaskDocument, { id: task.id, ...fields }, task.version),
    );
  }

  async remove(task: Task): Promise<void> {
    const answer = await this.#withPending(task.id, null, () =>
      this.#changes.change(DeleteTaskDocument, { id: task.id }, task.version),
    );
    if (!answer.made) return this.#refuse(`“${task.title}” was not deleted`, answer);
    this.store.set(({ board }) => ({ board: forget(board, task.id) }));
    this.store.notice("DONE", `Deleted “${task.title}”.`);
  }

  #send(id: string, status: TaskStatus, seen: number): Promise<Answer> {
    return this.#changes.change(MoveTaskDocument, { id, status }, seen);
  }

  /** Where no single move leads back, several do. */
  async #sendBack({ task, to, version }: Move): Promise<Answer> {
    let answer: Answer = { made: true, task: null, skew: null };
    for (const status of route(to, task.status)) {
      answer = await this.#send(task.id, status, answer.made ? (answer.task?.version ?? version) : version);
      if (!answer.made) break;
    }
    return answer;
  }

  /** Shows *patch* until *work* has its answer, whatever that is. */
  async #withPending(taskId: string, patch: PendingChange["patch"], work: () => Promise<Answer>): Promise<Answer> {
    const pending: PendingChange = { key: `${++this.#lastKey}`, taskId, patch };
    const asked = this.store.state.board;
    this.store.set(({ pendingChanges }) => ({ pendingChanges: [...pendingChanges, pending] }));
    try {
      const answer = await work();
      this.#take(answer, asked);
      return answer;
    } finally {
      this.store.set(({ pendingChanges }) => ({ pendingChanges: pendingChanges.filter((each) => each !== pending) }));
    }
  }

  #take(answer: Answer, asked: Board): void {
    if (!answer.made || !answer.task) return;
    const { task, skew: seen } = answer;
    this.store.set(({ board, skew }) => ({ board: learn(board, task, asked), skew: seen ? narrowed(skew, seen) : skew }));
  }

  #whereabouts(task: Task): string {
    return STATUS_WORDS[(this.store.state.board.tasks.get(task.id) ?? task).status];
  }

  #refuse(what: string, answer: Answer & { made: false }): void {
    this.store.notice("REFUSED", `${what}: ${explain(answer)}`);
  }
}

function refusal(task: Task, status: TaskStatus): string | null {
  if (!task.viewerCanUpdateStatus) return NOT_YOURS;
  if (isAllowed(task.status, status)) return null;
  return `A task cannot go from ${STATUS_WORDS[task.status]} to ${STATUS_WORDS[status]}.`;
}
