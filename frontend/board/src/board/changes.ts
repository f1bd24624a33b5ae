// Changes on their way to the server: one after another for each task, each made once however often it is sent.
import { createChangeQueue, type ChangeQueue } from "@taskriver/client/changes";

import type { Api } from "../api/api";
import type { ErrorCode, TypedDocumentString } from "../api/gql/graphql";
import { observed, type Skew } from "../stream/clock";
import type { Task } from "./fold";

export type Answer =
  | { readonly made: true; readonly task: Task | null; readonly skew: Skew | null }
  | { readonly made: false; readonly code: ErrorCode | "FAILED"; readonly message: string };

interface Payload {
  readonly task?: Task | null;
  readonly userErrors: readonly { readonly code: ErrorCode; readonly message: string }[];
}

/** A mutation that answers its payload as `result`. */
type Mutation<Input> = TypedDocumentString<{ result: Payload | null }, { input: Input }>;

export class Changes {
  readonly #queue: ChangeQueue;

  constructor(private readonly api: Api, private readonly now = () => Date.now()) {
    this.#queue = createChangeQueue(api.session);
  }

  /** Creates something; there is nothing that it could wait for. */
  create<Input>(mutation: Mutation<Input>, input: Input): Promise<Answer> {
    return this.#send(mutation, input, 0).catch(failed);
  }

  /**
   * Changes a task that the viewer has *seen* in this version: a version that has changed since is refused. The
   * viewer's own changes that are still on their way were seen, too.
   */
  change<Input extends { id: string }>(mutation: Mutation<Input>, input: Input, seen: number): Promise<Answer> {
    const send = (expectedVersion: number) => this.#send(mutation, { ...input, expectedVersion }, expectedVersion);
    return this.#queue.run(input.id, seen, send, (answer) => (answer.made ? answer.task?.version : null)).catch(failed);
  }

  async #send<Input>(mutation: Mutation<Input>, input: Input, version: number): Promise<Answer> {
    const sent = this.now();
    const { result } = await this.api.ask(mutation, { input }, { idempotencyKey: true });
    const [refusal] = result?.userErrors ?? [];
    if (refusal) return { made: false, code: refusal.code, message: refusal.message };
    const task = result?.task ?? null;
    // Only a change that was made by this very request was made between its two ends.
    const isFresh = task?.version === version + 1;
    return { made: true, task, skew: isFresh ? observed(Date.parse(task.updatedAt), sent, this.now()) : null };
  }
}

/** Whatever goes wrong is an answer, so that the caller can take back what it showed. */
function failed(error: unknown): Answer {
  return { made: false, code: "FAILED", message: error instanceof Error ? error.message : String(error) };
}
