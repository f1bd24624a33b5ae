// What the page shows, as one value.
import type { Question } from "../../../common/question";
import type { User } from "@taskriver/client";

import type { TaskStatus } from "../api/gql/graphql";
import { BEGINNING, type Standing } from "../stream/standing";
import type { Skew } from "../stream/clock";
import type { Drafts } from "./drafts";
import { EMPTY, type Board } from "./fold";
import type { PendingChange } from "./pending_changes";
import type { Project, ProjectEntry } from "./project";
import type { ProjectEdit } from "./settings";

export type Person = User;

export interface Notice {
  readonly id: number;
  /** `SAID` is for screen readers only: the board itself shows it. */
  readonly kind: "SAID" | "DONE" | "REFUSED";
  readonly text: string;
  /** Takes it back. */
  readonly undo?: () => void;
}

/** What comparing the board with the server has found. */
export interface Comparison {
  readonly tasks: number;
  readonly differing: number;
}

/** Who has just changed a task, for a few seconds. */
export interface Touch {
  readonly by: string;
  readonly what: string;
}

export interface State {
  readonly board: Board;
  readonly pendingChanges: readonly PendingChange[];
  /** Whether all tasks have been read. */
  readonly loaded: boolean;
  /** Whether there are more tasks than the board holds; `totals` then says how many. */
  readonly partial: boolean;
  readonly totals: Readonly<Record<TaskStatus, number>> | null;
  readonly standing: Standing;
  readonly skew: Skew | null;
  readonly comparison: Comparison | "COMPARING" | null;
  readonly touched: ReadonlyMap<string, Touch>;
  readonly notices: readonly Notice[];
  readonly drafts: Drafts;
  /** What is typed in the settings of projects and not saved, by their ids. */
  readonly projectEdits: ReadonlyMap<string, ProjectEdit>;
  readonly question: Question | null;
  /** The project of the board; null: all tasks, or not read yet. */
  readonly project: Project | null;
  /** Whether there is no such project, or the viewer may no longer see it. */
  readonly missing: boolean;
  /** The projects to switch to; null: not read yet. */
  readonly projects: readonly ProjectEntry[] | null;
  /** Whether the viewer may create projects; false until the projects are read. */
  readonly canCreateProjects: boolean;
  /** Grows whenever the members of the project have changed. */
  readonly membersSeen: number;
  /** Grows for a task whenever its comments have changed. */
  readonly commented: ReadonlyMap<string, number>;
}

export const FIRST: State = {
  board: EMPTY,
  pendingChanges: [],
  loaded: false,
  partial: false,
  totals: null,
  standing: BEGINNING,
  skew: null,
  comparison: null,
  touched: new Map(),
  notices: [],
  drafts: new Map(),
  projectEdits: new Map(),
  question: null,
  project: null,
  missing: false,
  projects: null,
  canCreateProjects: false,
  membersSeen: 0,
  commented: new Map(),
};
