// Keeps the project of the board as the server has it: what was read, and what the viewer's changes have answered.
import type { Context } from "./context";
import { rekey, withoutLabel } from "./fold";
import { readProject, withLabels, type Label, type Project } from "./project";

export class ProjectReader {
  /** Of two reads, only the response to the later one counts. */
  #reads = 0;
  /** Counts what changes have answered: a response from before the last of them may lack it, and is asked for again. */
  #learned = 0;

  /** *lose* is called if there is no such project any more. */
  constructor(private readonly store: Context, private readonly lose: () => void) {}

  /** Reads the project and its labels. Throws `RequestError`. */
  async read(): Promise<void> {
    if (this.store.projectKey === null) return;
    const read = ++this.#reads;
    let learned: number;
    let project: Project | null;
    do {
      learned = this.#learned;
      project = await readProject(this.store.api, this.store.projectKey);
      if (read !== this.#reads) return;
    } while (learned !== this.#learned);
    if (project) this.#take(project);
    else this.lose();
  }

  /** What a change of the project has answered. The older version of two does not count. */
  learn(details: Omit<Project, "labels">): void {
    const { project } = this.store.state;
    if (project?.id !== details.id || project.version >= details.version) return;
    this.#learned++;
    this.#take({ ...project, ...details });
  }

  /** What a change of a label has answered. */
  learnLabel(label: Label): void {
    const { project } = this.store.state;
    const known = project?.labels.find(({ id }) => id === label.id);
    if (!project || (known && known.version >= label.version)) return;
    this.#learned++;
    this.store.set({ project: withLabels(project, [...project.labels.filter((each) => each !== known), label]) });
  }

  /** A label was deleted. */
  forgetLabel(id: string): void {
    this.#learned++;
    this.store.set(({ board, project }) => ({
      board: withoutLabel(board, id),
      project: project && withLabels(project, project.labels.filter((label) => label.id !== id)),
    }));
  }

  end(): void {
    this.#reads++;
  }

  #take(project: Project): void {
    this.store.set(({ projects, board }) => ({
      project, projects: projects && projects.map((each) => (each.id === project.id ? project : each)),
      board: rekey(board, project),
    }));
    if (project.key !== this.store.projectKey) this.store.rename(project.key);
  }
}
