// Saving what a form holds: only the changed fields, merged with what others saved in the meantime.
import type { Context } from "./context";
import { changes, conflicts, decided, edited, isEmpty, merged, NEW_DRAFT, settled } from "./draft";
import { NEW } from "./drafts";
import { BLANK, fieldsOf, type FieldName, type Fields } from "./fields";
import type { Task } from "./fold";
import { explain } from "./errors";
import type { Follower } from "./follower";
import type { Writer } from "./writer";

/** How often a change is merged and sent again if another user changes the task at the same time. */
const ATTEMPTS = 4;
const UNDECIDED = "Choose a value for each field that another user changed, too. Then save again.";
const GONE = "This task was deleted, or you can no longer see it.";
const BUSY = "Others keep changing this task. Try again in a moment.";

export class Editor {
  readonly #running = new Map<string, Promise<string | null>>();

  constructor(private readonly store: Context & { readonly write: Writer; readonly follow: Follower }) {}

  /** An input of a task's form, or of the new task's, that showed *shown* got the value that *typed* has. */
  type(key: string, name: FieldName, typed: Fields, shown: Fields): void {
    this.store.draft(key, (draft) => {
      const next = edited(draft, name, typed, shown);
      return isEmpty(next) ? null : next;
    });
  }

  /** Whom the new task is for. */
  assign(assignee: Task["assignee"]): void {
    this.store.draft(NEW, (draft) => {
      const next = { ...(draft ?? NEW_DRAFT), assignee };
      return isEmpty(next) ? null : next;
    });
  }

  decide(id: string, name: FieldName, choice: "MINE" | "THEIRS"): void {
    const task = this.store.state.board.tasks.get(id);
    if (task) this.store.draft(id, (draft) => draft ? decided(draft, name, fieldsOf(task), choice) : null);
  }

  /** Makes a new task of the text that was typed for one that is gone. */
  salvage(id: string): void {
    const draft = this.store.state.drafts.get(id);
    this.store.draft(id, () => null);
    if (draft) this.store.draft(NEW, () => ({ base: BLANK, mine: draft.mine }));
    this.store.navigation.replace((view) => ({ ...view, task: null, creating: true }));
  }

  /** Saves a task's draft. Answers what is wrong, or null. Pressing twice saves once. */
  save(id: string): Promise<string | null> {
    return this.#once(id, () => this.#save(id));
  }

  /** Creates the new task. Answers what is wrong, or null. Pressing twice creates one. */
  create(): Promise<string | null> {
    return this.#once(NEW, async () => {
      const { assignee, ...draft } = this.store.state.drafts.get(NEW) ?? NEW_DRAFT;
      const answer = await this.store.write.create({ ...merged(draft, BLANK), assigneeId: assignee?.id ?? null });
      if (!answer.made) return explain(answer);
      this.store.draft(NEW, () => null);
      return null;
    });
  }

  async #save(id: string): Promise<string | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const task = this.store.state.board.tasks.get(id);
      const draft = this.store.state.drafts.get(id);
      if (!task) return GONE;
      if (!draft) return null;
      const theirs = fieldsOf(task);
      if (conflicts(draft, theirs).length) return UNDECIDED;
      const sent = changes(draft, theirs);
      if (!Object.keys(sent).length) return this.#settle(id, draft.mine);
      const answer = await this.store.write.update(task, sent);
      if (answer.made) return this.#settle(id, sent);
      if (answer.code !== "CONFLICT") return explain(answer);
      const problem = await this.#reread(id);
      if (problem) return problem;
    }
    return BUSY;
  }

  #settle(id: string, sent: Partial<Fields>): null {
    this.store.draft(id, (draft) => {
      const rest = draft && settled(draft, sent);
      return rest && !isEmpty(rest) ? rest : null;
    });
    return null;
  }

  async #reread(id: string): Promise<string | null> {
    try {
      return (await this.store.follow.read(id)) ? null : GONE;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #once(key: string, work: () => Promise<string | null>): Promise<string | null> {
    const running = this.#running.get(key) ?? work().finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }
}
