// The project of a board: what it is, and what may be done in it.
import type { Api } from "../api/api";
import {
  ProjectDocument, ProjectsDocument, type LabelDetailsFragment, type ProjectDetailsFragment, type ProjectEntryFragment,
  type ProjectQuery, type ProjectsQuery,
} from "../api/gql/graphql";

export type ProjectEntry = ProjectEntryFragment;
export type Label = LabelDetailsFragment;

export interface Project extends ProjectDetailsFragment {
  readonly labels: readonly Label[];
}

/** So many pages of projects are listed; the others are reached by their address. */
const MOST_PAGES = 5;

/** The project with this key, and all its labels; null: there is none that the viewer may see. Throws `RequestError`. */
export async function readProject(api: Api, key: string): Promise<Project | null> {
  const labels: Label[] = [];
  let after: string | null = null;
  for (;;) {
    const found: ProjectQuery = await api.ask(ProjectDocument, { key, after });
    if (!found.project) return null;
    const { nodes, pageInfo } = found.project.labels;
    labels.push(...nodes);
    if (!pageInfo.hasNextPage) return { ...found.project, labels };
    after = pageInfo.endCursor;
  }
}

export interface Projects {
  /** By key. */
  readonly projects: readonly ProjectEntry[];
  readonly canCreateProjects: boolean;
}

/** The projects of the viewer, and whether the viewer may create others. Throws `RequestError`. */
export async function readProjects(api: Api): Promise<Projects> {
  const found: ProjectEntry[] = [];
  let canCreateProjects = false;
  let after: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const { me, projects }: ProjectsQuery = await api.ask(ProjectsDocument, { after });
    canCreateProjects = me?.viewerCanCreateProjects ?? false;
    found.push(...projects.nodes);
    if (!projects.pageInfo.hasNextPage) break;
    after = projects.pageInfo.endCursor;
  }
  return { projects: found, canCreateProjects };
}

/** Whether the viewer may do anything of what the settings offer. An archived project can be reopened and deleted. */
export function hasSettings({ viewerCanUpdate, viewerCanArchive, viewerCanDelete }: Project): boolean {
  return viewerCanUpdate || viewerCanArchive || viewerCanDelete;
}

/** The project with these labels, by name. */
export function withLabels(project: Project, labels: readonly Label[]): Project {
  return { ...project, labels: [...labels].sort((one, other) => one.name.localeCompare(other.name)) };
}

/** Whether a viewer with this role may create tasks: in a project as a member, and always personal ones. */
export function mayCreate(project: Pick<ProjectEntry, "isArchived" | "viewerRole"> | null, isAdmin: boolean): boolean {
  if (!project) return true;
  return !project.isArchived && (isAdmin || project.viewerRole === "MEMBER" || project.viewerRole === "MANAGER");
}
