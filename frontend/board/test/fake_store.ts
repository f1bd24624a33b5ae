// A store without a page and without a network: what is asked of the server is answered in turn.
import type { Api } from "../src/api/api";
import type { Context } from "../src/board/context";
import { EMPTY, merge, type Task } from "../src/board/fold";
import { withPendingChanges } from "../src/board/pending_changes";
import { FIRST, type Notice, type State } from "../src/board/state";
import { Submitter } from "../src/board/submitter";
import { Writer } from "../src/board/writer";

type Answer = (input: Record<string, unknown>) => unknown;

export class FakeStore {
  state: State;
  readonly asked: { readonly name: string; readonly input: Record<string, unknown> }[] = [];
  readonly said: { readonly kind: Notice["kind"]; readonly text: string; readonly canUndo: boolean }[] = [];
  readonly projectKey = "WEB";
  readonly answers: Answer[] = [];
  readonly submit: Submitter;
  readonly write: Writer;

  constructor(...tasks: Task[]) {
    this.state = { ...FIRST, board: merge(EMPTY, tasks) };
    this.submit = new Submitter(this.context);
    this.write = new Writer(this.context, this.submit);
  }

  get context(): Context {
    return this as unknown as Context;
  }

  readonly api = {
    ask: async (document: unknown, { input }: { input: Record<string, unknown> }) => {
      this.asked.push({ name: /mutation (\w+)/.exec(String(document))![1]!, input });
      await Promise.resolve();
      return { result: this.answers.shift()!(input) };
    },
  } as unknown as Api;

  get tasks() {
    return withPendingChanges(this.state.board.tasks, this.state.pendingChanges);
  }

  set(change: Partial<State> | ((state: State) => Partial<State>)): void {
    this.state = { ...this.state, ...(typeof change === "function" ? change(this.state) : change) };
  }

  notice(kind: Notice["kind"], text: string, undo?: () => void): void {
    this.said.push({ kind, text, canUndo: undo !== undefined });
  }

  withdrawUndo(): void {}
}

/** The answer of a mutation that changed a task. */
export const changed = (task: Task): Answer => () => ({ task, userErrors: [] });

export const refused = (code: string, message = "No."): Answer => () => ({ userErrors: [{ code, message, path: [] }] });
