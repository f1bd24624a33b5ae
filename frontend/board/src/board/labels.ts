// What managers do with the labels of a project.
import type { Question } from "../../../common/question";
import { CreateLabelDocument, DeleteLabelDocument, UpdateLabelDocument } from "../api/gql/graphql";
import type { Context } from "./context";
import type { Edit } from "./edit";
import type { Problem } from "../../../common/problem";
import { explain, problemOf } from "./errors";
import type { Board } from "./fold";
import type { Follower } from "./follower";
import type { Label } from "./project";
import { save } from "./saving";
import type { Submitter } from "./submitter";

export interface LabelFields {
  readonly name: string;
  readonly color: string;
}

export const LABEL_FIELDS = ["name", "color"] as const satisfies readonly (keyof LabelFields)[];
export const LABEL_WORDS: Readonly<Record<keyof LabelFields, string>> = { name: "Name", color: "Color" };
export const FIRST_LABEL: LabelFields = { name: "", color: "#0b6e6e" };

export function labelFieldsOf({ name, color }: Label): LabelFields {
  return { name, color };
}

/** How many tasks of the board have each label; labels without tasks are left out. */
export function usesOfLabels({ tasks }: Board): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { labels } of tasks.values()) for (const { id } of labels?.nodes ?? []) uses.set(id, (uses.get(id) ?? 0) + 1);
  return uses;
}

interface Asking extends Context {
  readonly follow: Follower;
  ask(question: Omit<Question, "id" | "answer">): Promise<boolean>;
}

/** Each answers what is wrong, or null. */
export class Labels {
  constructor(private readonly store: Asking, private readonly submitter: Submitter) {}

  /** *done* gets the id of the new label. */
  async create(fields: LabelFields, done: (id: string) => void = () => {}): Promise<Problem | null> {
    const input = { projectId: this.store.state.project!.id, ...fields };
    const refusal = await this.submitter.attempt(CreateLabelDocument, input, ({ label }) => {
      if (!label) return;
      this.store.follow.project.learnLabel(label);
      done(label.id);
    });
    if (!refusal) this.store.notice("SAID", `Created the label “${fields.name.trim()}”.`);
    return refusal && problemOf(refusal, LABEL_FIELDS);
  }

  /** *edit* has what is typed by now, and *settle* gets what was saved of it. */
  save(
    id: string, edit: () => Edit<LabelFields> | undefined, settle: (sent: Partial<LabelFields>) => void,
  ): Promise<Problem | null> {
    return save<LabelFields>({
      names: LABEL_FIELDS,
      gone: "This label was deleted.",
      edit,
      theirs: () => {
        const label = this.#labelOf(id);
        return label ? { fields: labelFieldsOf(label), version: label.version } : null;
      },
      send: (changes, expectedVersion) =>
        this.submitter.attempt(UpdateLabelDocument, { id, ...changes, expectedVersion }, ({ label }) => {
          if (label) this.store.follow.project.learnLabel(label);
        }),
      read: () => this.store.follow.project.read(),
      settle,
    });
  }

  /** Deletes a label, after a question that says what its tasks lose. */
  async remove({ id, name, version }: Label): Promise<void> {
    const question = {
      title: `Delete the label “${name}”?`, text: `${this.#loss(id)} This cannot be undone.`, yes: "Delete", no: "Cancel",
    };
    if (!(await this.store.ask(question))) return;
    const refusal = await this.submitter.attempt(DeleteLabelDocument, { id, expectedVersion: version });
    if (!refusal) {
      this.store.follow.project.forgetLabel(id);
      return this.store.notice("DONE", `Deleted the label “${name}”.`);
    }
    this.store.notice("REFUSED", `The label “${name}” was not deleted: ${explain(refusal)}`);
    await this.store.follow.project.read().catch(() => {}); // the stream brings it later
  }

  #loss(id: string): string {
    const { partial, board } = this.store.state;
    if (partial) return "The tasks that have it lose it, and do not change otherwise.";
    const count = usesOfLabels(board).get(id) ?? 0;
    if (count === 0) return "No task has it.";
    return count === 1 ? "1 task has it and loses it, and does not change otherwise."
      : `${count.toLocaleString("en")} tasks have it and lose it, and do not change otherwise.`;
  }

  #labelOf(id: string): Label | undefined {
    return this.store.state.project?.labels.find((label) => label.id === id);
  }
}
