import { expect, test } from "vitest";

import type { Project } from "../src/board/project";
import { Settings, type ProjectEdit } from "../src/board/settings";
import { FakeStore, refused } from "./fake_store";

const web: Project = {
  id: "p1", key: "WEB", name: "Web", description: "", isArchived: false, viewerRole: "MANAGER", version: 3, viewerCanUpdate: true,
  viewerCanArchive: true, viewerCanDelete: true, viewerCanManageMembers: true, viewerCanManageLabels: true, labels: [],
};

function aBoard() {
  const store = new FakeStore();
  store.set({ project: web });
  const switched: unknown[] = [];
  const context = Object.assign(store, {
    follow: { project: { learn: (project: Project) => store.set({ project }), read: async () => store.set({ project: { ...web, version: 4 } }) } },
    navigation: { switchTo: (...args: unknown[]) => switched.push(args) },
    projectEdit: (id: string, change: (edit: ProjectEdit | undefined) => ProjectEdit | undefined) => {
      const edit = change(store.state.projectEdits.get(id));
      store.set({ projectEdits: new Map(edit ? [[id, edit]] : []) });
    },
  });
  return { store, switched, settings: new Settings(context as never, store.submit) };
}

test("Only what was changed is sent, with the version that it was merged with; pressing twice sends it once.", async () => {
  const { store, settings } = aBoard();
  settings.type("name", "Shop");
  expect(settings.isUnsaved).toBe(true);
  store.answers.push(refused("CONFLICT"), () => ({ project: { ...web, name: "Shop", version: 5 }, userErrors: [] }));
  expect(await Promise.all([settings.save(), settings.save()])).toEqual([null, null]);
  expect(store.asked.map(({ input }) => input)).toEqual([
    { id: "p1", name: "Shop", expectedVersion: 3 }, { id: "p1", name: "Shop", expectedVersion: 4 },
  ]);
  expect([settings.isUnsaved, store.state.projectEdits.size]).toEqual([false, 0]);
});

test("A value that was typed back is not unsaved.", () => {
  const { settings } = aBoard();
  settings.type("key", "SHOP");
  settings.type("key", "WEB");
  expect(settings.isUnsaved).toBe(false);
});

test("The deletion of a project with tasks asks for its key; one that is made leaves no entry and no text.", async () => {
  const { store, switched, settings } = aBoard();
  settings.type("name", "Shop");
  store.answers.push(() => ({ userErrors: [{ code: "INVALID", message: "Give it as confirmKey.", path: ["confirmKey"] }] }));
  expect(await settings.remove(null)).toEqual({ field: "confirmKey", text: "Type WEB: the project has tasks." });
  expect([settings.isDeleting, switched]).toEqual([false, []]);
  store.answers.push(() => ({ deletedProjectId: "p1", userErrors: [] }));
  const work = settings.remove("WEB");
  expect(settings.isDeleting).toBe(true);
  expect(await work).toBeNull();
  expect(store.asked.at(-1)!.input).toEqual({ id: "p1", confirmKey: "WEB" });
  expect(switched).toEqual([[null, { said: "Deleted the project WEB.", replacing: true }]]);
  expect(store.state.projectEdits.size).toBe(0);
});
