// The same change of several tasks.
import { UpdateTasksDocument, type TaskStatus, type UpdateTasksMutation } from "../api/gql/graphql";
import type { Context } from "./context";
import { inBoardWords } from "./errors";
import { learn } from "./fold";
import type { ShownTask } from "./pending_changes";
import type { Submitter } from "./submitter";
import { isAllowed } from "./transitions";
import { STATUS_WORDS } from "./words";
import type { Writer } from "./writer";

/** The server takes so many tasks at once. */
const AT_ONCE = 100;

type Result = NonNullable<UpdateTasksMutation["result"]>["results"][number];

export class Collector {
  constructor(private readonly store: Context, private readonly submitter: Submitter, private readonly write: Writer) {}

  /** Moves those of the tasks that are elsewhere. What is refused is back in its column. */
  async move(ids: Iterable<string>, status: TaskStatus): Promise<void> {
    const moving = [...ids].map((id) => this.store.tasks.get(id)).filter((task) => task !== undefined)
      .filter((task) => task.status !== status);
    const able = moving.filter((task) => task.viewerCanUpdateStatus && isAllowed(task.status, status));
    this.write.forgetUndo();
    const patches = Object.fromEntries(able.map(({ id }) => [id, { status }]));
    const sent = await this.submitter.showing(patches, () => this.#send(able, status));
    const made = able.length - sent.length;
    const unable = moving.filter((task) => !able.includes(task));
    const problems = [...sent, ...unable.map(({ title }) => `“${title}” cannot go to ${STATUS_WORDS[status]}.`)];
    if (made > 0) this.store.notice("DONE", `Moved ${counted(made)} to ${STATUS_WORDS[status]}.`);
    if (problems.length) this.store.notice("REFUSED", summary(problems));
  }

  /** Answers one line for each task that was not changed. */
  async #send(tasks: readonly ShownTask[], status: TaskStatus): Promise<string[]> {
    const problems: string[] = [];
    for (let first = 0; first < tasks.length; first += AT_ONCE) {
      const some = tasks.slice(first, first + AT_ONCE);
      const asked = this.store.state.board;
      const take = ({ task, userErrors: [refusal], taskId }: Result) => {
        if (task) this.store.set(({ board }) => ({ board: learn(board, task, asked) }));
        if (refusal) problems.push(`“${this.store.tasks.get(taskId)?.title ?? "A task"}”: ${inBoardWords(refusal.message)}`);
      };
      const input = { ids: some.map(({ id }) => id), status };
      const problem = await this.submitter.request(UpdateTasksDocument, input, ({ results }) => results.forEach(take));
      if (problem) problems.push(...some.map(({ title }) => `“${title}”: ${problem}`));
    }
    return problems;
  }
}

function counted(count: number): string {
  return count === 1 ? "1 task" : `${count} tasks`;
}

function summary(problems: readonly string[]): string {
  const [first] = problems;
  return problems.length === 1 ? `Not moved: ${first}` : `${problems.length} tasks were not moved. The first: ${first}`;
}
