// What managers do with a project and its members, and what everyone may do for themselves.
import type { Question } from "../../../common/question";
import {
  AddMemberDocument, ArchiveProjectDocument, CreateProjectDocument, LeaveProjectDocument, RemoveMemberDocument,
  SetMemberRoleDocument, type CreateProjectInput, type ProjectRole,
} from "../api/gql/graphql";
import type { Context } from "./context";
import type { Problem } from "../../../common/problem";
import { explain, problemOf } from "./errors";
import type { Follower } from "./follower";
import type { Project } from "./project";
import { PROJECT_FIELDS } from "./project_fields";
import type { Submitter } from "./submitter";

interface Asking extends Context {
  readonly follow: Follower;
  ask(question: Omit<Question, "id" | "answer">): Promise<boolean>;
}

/** Each answers what is wrong, or null. */
export class Team {
  constructor(private readonly store: Asking, private readonly submitter: Submitter) {}

  /** Archives the project, after a question, or makes it active again. */
  async archive(isArchived: boolean): Promise<void> {
    const { id, key, version } = this.#project;
    const question = {
      title: `Archive ${key}?`, text: "Tasks in an archived project cannot be changed. A manager can reopen it.", yes: "Archive", no: "Cancel",
    };
    if (isArchived && !(await this.store.ask(question))) return;
    const input = { id, isArchived, expectedVersion: version };
    const refusal = await this.submitter.attempt(ArchiveProjectDocument, input, ({ project }) => {
      if (project) this.store.follow.project.learn(project);
    });
    if (refusal) this.store.notice("REFUSED", `${key} was not ${isArchived ? "archived" : "reopened"}: ${explain(refusal)}`);
    else this.store.notice("DONE", `${key} is ${isArchived ? "archived" : "active again"}.`);
    if (refusal?.code === "CONFLICT") await this.store.follow.project.read().catch(() => {}); // the stream brings it later
    void this.store.follow.readProjects();
  }

  /** Creates a project, and shows its board. */
  async create(input: CreateProjectInput): Promise<Problem | null> {
    const refusal = await this.submitter.attempt(CreateProjectDocument, input, ({ project }) => {
      if (project) this.store.navigation.switchTo(project.key);
    });
    return refusal && problemOf(refusal, PROJECT_FIELDS);
  }

  add(userId: string, role: ProjectRole): Promise<string | null> {
    return this.#changed(this.submitter.request(AddMemberDocument, { projectId: this.#project.id, userId, role }));
  }

  setRole(userId: string, role: ProjectRole): Promise<string | null> {
    return this.#changed(this.submitter.request(SetMemberRoleDocument, { projectId: this.#project.id, userId, role }));
  }

  remove(userId: string): Promise<string | null> {
    return this.#changed(this.submitter.request(RemoveMemberDocument, { projectId: this.#project.id, userId }));
  }

  /** Leaves the project, after a question. */
  async leave(): Promise<string | null> {
    const { id, key } = this.#project;
    const question = {
      title: `Leave ${key}?`, text: "You no longer see its tasks then. A manager can add you again.", yes: "Leave", no: "Cancel",
    };
    if (!(await this.store.ask(question))) return null;
    return this.submitter.request(LeaveProjectDocument, { projectId: id }, () => this.store.navigation.switchTo(null));
  }

  get #project(): Project {
    return this.store.state.project!;
  }

  /** The members are read again, whatever the answer is. */
  async #changed(answer: Promise<string | null>): Promise<string | null> {
    const problem = await answer;
    this.store.set(({ membersSeen }) => ({ membersSeen: membersSeen + 1 }));
    return problem;
  }
}
