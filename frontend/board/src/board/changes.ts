// Changes on their way to the server: one after another for each task, each made once however often it is sent.
import { Failure, type Api } from "../api/api";
import type { ErrorCode, TypedDocumentString } from "../api/gql/graphql";
import { observed, type Skew } from "../stream/clock";
import type { Task } from "./fold";
import { randomKey } from "./keys";

export type Answer =
  | { readonly made: true; readonly task: Task | null; readonly skew: Skew | null }
  | { readonly made: false; readonly code: ErrorCode | "FAILED"; readonly message: string };

interface Payload {
  readonly task?: Task | null;
  readonly userErrors: readonly { readonly code: ErrorCode; readonly message: string }[];
}

/** A mutation that answers its payload as `result`. */
type Mutation<Input> = TypedDocumentString<{ result: Payload | null }, { input: Input }>;

/** How long to wait before each further attempt, in milliseconds. */
const PAUSES = [300, 1_000, 2_000, 4_000, 8_000];

export class Changes {
  /** Of each task that has a change on its way: the version that it will have made, or null if it was refused. */
  readonly #last = new Map<string, Promise<number | null>>();

  constructor(
    private readonly api: Api,
    private readonly wait = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds)),
    private readonly now = () => Date.now(),
  ) {}

  /** Creates something; there is nothing that it could wait for. */
  create<Input>(mutation: Mutation<Input>, input: Input): Promise<Answer> {
    return this.#send(mutation, input, 0);
  }

  /**
   * Changes a task that the viewer has *seen* in this version: a version that has changed since is refused. The
   * viewer's own changes that are still on their way were seen, too.
   */
  change<Input extends { id: string }>(mutation: Mutation<Input>, input: Input, seen: number): Promise<Answer> {
    const before = this.#last.get(input.id) ?? Promise.resolve(null);
    const answer = before.then((own) => {
      const expectedVersion = Math.max(seen, own ?? 0);
      return this.#send(mutation, { ...input, expectedVersion }, expectedVersion);
    });
    const made = answer.then((it) => (it.made ? (it.task?.version ?? null) : null));
    this.#last.set(input.id, made);
    void made.then(() => this.#last.get(input.id) === made && this.#last.delete(input.id));
    return answer;
  }

  /** Whatever goes wrong is an answer, so that the caller can take back what it showed. */
  async #send<Input>(mutation: Mutation<Input>, input: Input, version: number): Promise<Answer> {
    try {
      const key = randomKey();
      for (let attempt = 0; ; attempt++) {
        const answer = await this.#attempt(mutation, input, version, key, attempt);
        if (answer) return answer;
        await this.wait(PAUSES[attempt]!);
      }
    } catch (error) {
      return { made: false, code: "FAILED", message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Null: no answer came, and it can be sent again. */
  async #attempt<Input>(
    mutation: Mutation<Input>, input: Input, version: number, key: string, attempt: number,
  ): Promise<Answer | null> {
    const sent = this.now();
    try {
      const { result } = await this.api.ask(mutation, { input }, key);
      const [refusal] = result?.userErrors ?? [];
      if (refusal) return { made: false, code: refusal.code, message: refusal.message };
      const task = result?.task ?? null;
      // Only a change that was made by this very request was made between its two ends.
      const fresh = attempt === 0 && task?.version === version + 1;
      return { made: true, task, skew: fresh ? observed(Date.parse(task.updatedAt), sent, this.now()) : null };
    } catch (error) {
      if (error instanceof Failure && error.passes && attempt < PAUSES.length) return null;
      throw error;
    }
  }
}
