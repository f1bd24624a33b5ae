// Moves to a place in the manual order of a project: by drag, by key, by menu.
import { PlaceTaskDocument, type TaskStatus } from "../api/gql/graphql";
import type { Answer } from "./changes";
import type { Context } from "./context";
import type { ShownTask } from "./pending_changes";
import { neighbour, shownRank, stepped, type Ranked, type Spot } from "./ranks";
import type { Submitter } from "./submitter";
import { STATUS_WORDS } from "./words";
import type { Writer } from "./writer";

export class Placer {
  constructor(private readonly store: Context, private readonly submitter: Submitter, private readonly write: Writer) {}

  /** To a place in a column, with one request. *from* is the place where the card was. */
  async put(id: string, status: TaskStatus, spot: Spot, from: Spot): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task) return;
    const problem = this.write.refusal(task, status);
    if (problem) return this.store.notice("REFUSED", problem);
    const answer = await this.#send(task, status, spot);
    if (!answer.made) return this.submitter.refuse(`“${task.title}” is back at its place`, answer);
    const version = answer.task?.version ?? task.version + 1;
    const text = status === task.status
      ? `Moved “${task.title}” within ${STATUS_WORDS[status]}.`
      : `Moved “${task.title}” to ${STATUS_WORDS[status]}.`;
    this.write.offerUndo(text, () => this.#putBack(task, status, from, version));
  }

  /** One place up (-1) or down (1) in its column. */
  async step(column: readonly Ranked[], id: string, step: -1 | 1): Promise<void> {
    const task = this.store.tasks.get(id);
    if (!task) return;
    const problem = this.write.refusal(task, task.status);
    if (problem) return this.store.notice("REFUSED", problem);
    const spot = stepped(column, id, step);
    if (!spot) {
      return this.store.notice("SAID", `“${task.title}” is ${step < 0 ? "first" : "last"} in ${STATUS_WORDS[task.status]}.`);
    }
    this.write.forgetUndo();
    const place = column.findIndex((each) => each.id === id) + step + 1;
    const answer = await this.#send(task, task.status, spot);
    if (!answer.made) return this.submitter.refuse(`“${task.title}” is back at its place`, answer);
    this.store.notice("SAID", `“${task.title}” is at place ${place} of ${column.length} in ${STATUS_WORDS[task.status]}.`);
  }

  #send(task: ShownTask, status: TaskStatus, spot: Spot): Promise<Answer> {
    const { id } = task;
    const rank = shownRank(spot, (other) => this.store.tasks.get(other)?.rank);
    const patch = { status, ...(rank !== undefined && { rank }) };
    const input = { id, ...(status !== task.status && { status }), ...neighbour(spot) };
    return this.submitter.pending(id, patch, () => this.submitter.changes.change(PlaceTaskDocument, input, task.version));
  }

  /** Unless another user has changed the task since. */
  async #putBack(task: ShownTask, to: TaskStatus, from: Spot, version: number): Promise<void> {
    const rank = task.rank;
    const answer = await this.submitter.pending(task.id, { status: task.status, rank }, async () => {
      const moved = await this.write.sendBack({ task, to, version });
      if (!moved.made) return moved;
      const input = { id: task.id, ...neighbour(from) };
      return this.submitter.changes.change(PlaceTaskDocument, input, moved.task?.version ?? version);
    });
    if (answer.made) this.store.notice("DONE", `Moved “${task.title}” back to its place in ${STATUS_WORDS[task.status]}.`);
    else this.submitter.refuse(`“${task.title}” stays in ${this.write.whereabouts(task)}`, answer);
  }
}
