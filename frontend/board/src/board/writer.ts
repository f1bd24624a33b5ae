// What the viewer does: shown at once, and taken back honestly if the server refuses.
import {
  AssignTaskDocument, CreateTaskDocument, DeleteTaskDocument, MoveTaskDocument, UpdateTaskDocument,
  type CreateTaskInput, type TaskStatus, type UpdateTaskInput,
} from "../api/gql/graphql";
import { narrowed } from "../stream/clock";
import { Changes, type Answer } from "./changes";
import { forget, learn, type Board, type Task } from "./fold";
import type { Hope } from "./optimism";
import type { Store } from "./store";
import { STATUS_WORDS } from "./words";

export class Writer {
  readonly #changes: Changes;
  #hopes = 0;

  constructor(private readonly store: Store) {
    this.#changes = new Changes(store.api);
  }

  async create(input: CreateTaskInput): Promise<Answer> {
    const asked = this.store.state.board;
    const answer = await this.#changes.create(CreateTaskDocument, input);
    this.#take(answer, asked);
    if (answer.made) this.store.notice("DONE", `Created “${input.title}”.`);
    return answer;
  }

  async move(task: Task, status: TaskStatus): Promise<void> {
    if (task.status === status) return;
    const answer = await this.#hoping(task.id, { status }, () =>
      this.#changes.change(MoveTaskDocument, { id: task.id, status }, task.version),
    );
    if (answer.made) this.store.notice("SAID", `Moved “${task.title}” to ${STATUS_WORDS[status]}.`);
    else this.#refuse(`“${task.title}” is back in ${this.#whereabouts(task)}`, answer);
  }

  async assign(task: Task, assignee: Task["assignee"]): Promise<void> {
    const answer = await this.#hoping(task.id, { assignee }, () =>
      this.#changes.change(AssignTaskDocument, { id: task.id, assigneeId: assignee?.id ?? null }, task.version),
    );
    if (answer.made) this.store.notice("SAID", `Assigned “${task.title}” to ${assignee?.username ?? "nobody"}.`);
    else this.#refuse(`“${task.title}” was not assigned`, answer);
  }

  /** The answer is the form's to show: it has the viewer's words. */
  update(task: Task, fields: Omit<UpdateTaskInput, "id" | "expectedVersion">, seen: number): Promise<Answer> {
    return this.#hoping(task.id, fields as Partial<Task>, () =>
      this.#changes.change(UpdateTaskDocument, { id: task.id, ...fields }, seen),
    );
  }

  async remove(task: Task): Promise<Answer> {
    const answer = await this.#hoping(task.id, null, () =>
      this.#changes.change(DeleteTaskDocument, { id: task.id }, task.version),
    );
    if (answer.made) {
      this.store.set(({ board }) => ({ board: forget(board, task.id) }));
      this.store.notice("DONE", `Deleted “${task.title}”.`);
    } else this.#refuse(`“${task.title}” was not deleted`, answer);
    return answer;
  }

  async #hoping(taskId: string, patch: Hope["patch"], work: () => Promise<Answer>): Promise<Answer> {
    const hope: Hope = { key: `${++this.#hopes}`, taskId, patch };
    const asked = this.store.state.board;
    this.store.set(({ hopes }) => ({ hopes: [...hopes, hope] }));
    const answer = await work();
    // In one step: what was hoped for goes, and what is true is there.
    this.#take(answer, asked);
    this.store.set(({ hopes }) => ({ hopes: hopes.filter((each) => each !== hope) }));
    return answer;
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
    const why = answer.code === "FAILED" ? `${answer.message} If it was made all the same, the stream will tell.` : answer.message;
    this.store.notice("REFUSED", `${what}: ${why}`);
  }
}
