// What the form of a project holds. Pure.
import type { Project } from "./project";

export interface ProjectFields {
  readonly name: string;
  readonly key: string;
  readonly description: string;
}

export const PROJECT_FIELDS = ["name", "key", "description"] as const satisfies readonly (keyof ProjectFields)[];

export const PROJECT_WORDS: Readonly<Record<keyof ProjectFields, string>> = { name: "Name", key: "Key", description: "Description" };

export function projectFieldsOf({ name, key, description }: Project): ProjectFields {
  return { name, key, description };
}
