// What managers change of the project itself: its name, its key and its description; and its deletion.
import { DeleteProjectDocument, UpdateProjectDocument } from "../api/gql/graphql";
import type { Context } from "./context";
import { decided, mergeEdit, settled, typed, type Edit } from "./edit";
import type { Problem } from "../../../common/problem";
import { problemOf } from "./errors";
import type { Follower } from "./follower";
import type { Project } from "./project";
import { PROJECT_FIELDS, projectFieldsOf, type ProjectFields } from "./project_fields";
import { save } from "./saving";
import type { Submitter } from "./submitter";

export type ProjectEdit = Edit<ProjectFields>;

interface Editing extends Context {
  readonly follow: Follower;
  /** Replaces what is typed for the project; undefined: nothing. */
  projectEdit(id: string, change: (edit: ProjectEdit | undefined) => ProjectEdit | undefined): void;
}

const GONE = "This project was deleted, or you can no longer see it.";

export class Settings {
  /** Whether the deletion of the project is on its way: the stream may say that it is gone before there is an answer. */
  isDeleting = false;
  #saving: Promise<Problem | null> | null = null;

  constructor(private readonly store: Editing, private readonly submitter: Submitter) {}

  get edit(): ProjectEdit | undefined {
    return this.store.state.projectEdits.get(this.#project.id);
  }

  get isUnsaved(): boolean {
    return Object.keys(mergeEdit(this.edit, projectFieldsOf(this.#project)).changes).length > 0;
  }

  type(name: keyof ProjectFields, value: string): void {
    this.#change((edit) => typed(edit, name, value, projectFieldsOf(this.#project)));
  }

  decide(name: keyof ProjectFields, choice: "MINE" | "THEIRS"): void {
    this.#change((edit) => edit && decided(edit, name, projectFieldsOf(this.#project), choice));
  }

  forget(): void {
    this.#change(() => undefined);
  }

  /** Answers what is wrong, or null. Pressing twice saves once. */
  save(): Promise<Problem | null> {
    this.#saving ??= this.#save().finally(() => (this.#saving = null));
    return this.#saving;
  }

  /**
   * Deletes the project for good, with its tasks if *confirmKey* is its key, and shows the board of all tasks. Answers what
   * is wrong, or null.
   */
  async remove(confirmKey: string | null): Promise<Problem | null> {
    const { id, key } = this.#project;
    this.isDeleting = true;
    const refusal = await this.submitter.attempt(DeleteProjectDocument, { id, confirmKey });
    this.isDeleting = false;
    if (refusal?.path.includes("confirmKey")) return { field: "confirmKey", text: `Type ${key}: the project has tasks.` };
    if (refusal) return problemOf(refusal, []);
    this.forget();
    this.store.navigation.switchTo(null, { said: `Deleted the project ${key}.`, replacing: true });
    return null;
  }

  async #save(): Promise<Problem | null> {
    const { id } = this.#project;
    return save<ProjectFields>({
      names: PROJECT_FIELDS,
      gone: GONE,
      edit: () => this.edit,
      theirs: () => {
        const { project, missing } = this.store.state;
        return project && !missing ? { fields: projectFieldsOf(project), version: project.version } : null;
      },
      send: (changes, expectedVersion) =>
        this.submitter.attempt(UpdateProjectDocument, { id, ...changes, expectedVersion }, ({ project }) => {
          if (project) this.store.follow.project.learn(project);
        }),
      read: () => this.store.follow.project.read(),
      settle: (sent) => this.#change((edit) => edit && settled(edit, sent)),
    });
  }

  get #project(): Project {
    return this.store.state.project!;
  }

  #change(change: (edit: ProjectEdit | undefined) => ProjectEdit | undefined): void {
    this.store.projectEdit(this.#project.id, change);
  }
}
