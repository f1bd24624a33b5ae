// A change on its way: shown at once, and taken back if the server refuses.
import type { ErrorCode, TypedDocumentString } from "../api/gql/graphql";
import { narrowed } from "../stream/clock";
import { Changes, type Answer } from "./changes";
import type { Context } from "./context";
import { explain, inBoardWords } from "./errors";
import { learn, type Board } from "./fold";
import type { PendingChange } from "./pending_changes";

interface Result {
  readonly userErrors: readonly Refusal[];
}

/** Why a mutation was refused, and the field of its input that is wrong. `FAILED`: there was no response. */
export interface Refusal {
  readonly code: ErrorCode | "FAILED";
  readonly message: string;
  readonly path: readonly string[];
}

type Patches = Readonly<Record<string, PendingChange["patch"]>>;

export class Submitter {
  readonly changes: Changes;
  #lastKey = 0;

  constructor(private readonly store: Context) {
    this.changes = new Changes(store.api);
  }

  /** Shows *patch* until *work* has its answer, whatever that is. */
  pending(taskId: string, patch: PendingChange["patch"], work: () => Promise<Answer>): Promise<Answer> {
    const asked = this.store.state.board;
    return this.showing({ [taskId]: patch }, async () => {
      const answer = await work();
      this.take(answer, asked);
      return answer;
    });
  }

  /** Shows the patches of several tasks while *work* goes on. */
  async showing<Result>(patches: Patches, work: () => Promise<Result>): Promise<Result> {
    const key = `${++this.#lastKey}`;
    const shown = Object.entries(patches).map(([taskId, patch]): PendingChange => ({ key, taskId, patch }));
    this.store.set(({ pendingChanges }) => ({ pendingChanges: [...pendingChanges, ...shown] }));
    try {
      return await work();
    } finally {
      this.store.set(({ pendingChanges }) => ({ pendingChanges: pendingChanges.filter((each) => each.key !== key) }));
    }
  }

  take(answer: Answer, asked: Board): void {
    if (!answer.made || !answer.task) return;
    const { task, skew: seen } = answer;
    this.store.set(({ board, skew }) => ({ board: learn(board, task, asked), skew: seen ? narrowed(skew, seen) : skew }));
  }

  refuse(what: string, answer: Answer & { made: false }): void {
    this.store.notice("REFUSED", `${what}: ${explain(answer)}`);
  }

  /** Sends a mutation that changes no task. Answers what is wrong, or null. */
  async request<Data extends Result, Input>(
    mutation: TypedDocumentString<{ result: Data | null }, { input: Input }>, input: Input, done?: (result: Data) => void,
  ): Promise<string | null> {
    const refusal = await this.attempt(mutation, input, done);
    if (!refusal) return null;
    return refusal.code === "FAILED" ? refusal.message : inBoardWords(refusal.message);
  }

  /** The same for a form. Answers why it was refused, or null. */
  async attempt<Data extends Result, Input>(
    mutation: TypedDocumentString<{ result: Data | null }, { input: Input }>, input: Input, done?: (result: Data) => void,
  ): Promise<Refusal | null> {
    try {
      const { result } = await this.store.api.ask(mutation, { input }, { idempotencyKey: true });
      const [refusal] = result?.userErrors ?? [];
      if (refusal) return refusal;
      if (result) done?.(result);
      return null;
    } catch (error) {
      return { code: "FAILED", message: error instanceof Error ? error.message : String(error), path: [] };
    }
  }
}
