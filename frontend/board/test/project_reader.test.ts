import { expect, test, vi } from "vitest";

import type { Context } from "../src/board/context";
import { EMPTY, merge } from "../src/board/fold";
import type { Label, Project } from "../src/board/project";
import { ProjectReader } from "../src/board/project_reader";
import { FIRST, type State } from "../src/board/state";
import { aTask } from "./builders";

const label = (id: string, version = 1): Label => ({ id, name: `Label ${id}`, color: "#000000", version });
const project = (change: Partial<Project> = {}): Project => ({
  id: "p1", key: "WEB", name: "Web", description: "", isArchived: false, viewerRole: "MANAGER", version: 1, viewerCanUpdate: true,
  viewerCanArchive: true, viewerCanDelete: true, viewerCanManageMembers: true, viewerCanManageLabels: true, labels: [label("l1")],
  ...change,
});

/** A board of the project, whose responses are given by hand. */
class Fake {
  projectKey = "WEB";
  lost = 0;
  readonly reading: ((found: Project | null) => void)[] = [];
  state: State = {
    ...FIRST, project: project(),
    board: merge(EMPTY, [aTask({ key: "WEB-1", project: { id: "p1", key: "WEB" }, labels: { nodes: [{ id: "l1" }] } })]),
  };
  readonly reader = new ProjectReader(this as unknown as Context, () => this.lost++);

  readonly api = {
    ask: async () => {
      const found = await new Promise<Project | null>((resolve) => this.reading.push(resolve));
      return { project: found && { ...found, labels: { nodes: found.labels, pageInfo: { hasNextPage: false } } } };
    },
  };

  set(change: Partial<State> | ((state: State) => Partial<State>)): void {
    this.state = { ...this.state, ...(typeof change === "function" ? change(this.state) : change) };
  }

  rename(key: string): void {
    this.projectKey = key;
  }
}

test("Only the response to the last request counts, in whatever order they arrive.", async () => {
  const fake = new Fake();
  const both = [fake.reader.read(), fake.reader.read()];
  fake.reading[1]!(project({ name: "Newer", version: 3 }));
  fake.reading[0]!(project({ name: "Older", version: 2 }));
  await Promise.all(both);
  expect(fake.state.project!.name).toBe("Newer");
});

test("A response from before the viewer's own change does not take it back: it is asked for again.", async () => {
  const fake = new Fake();
  const reading = fake.reader.read();
  fake.reader.learnLabel(label("l2"));
  fake.reading[0]!(project());
  await vi.waitFor(() => expect(fake.reading).toHaveLength(2));
  expect(fake.state.project!.labels.map(({ id }) => id)).toEqual(["l1", "l2"]);
  fake.reading[1]!(project({ labels: [label("l1"), label("l2"), label("l3")] }));
  await reading;
  expect(fake.state.project!.labels).toHaveLength(3);
});

test("The older answer of two changes does not count.", () => {
  const fake = new Fake();
  const { labels: _, ...newer } = project({ name: "Newer", version: 3 });
  fake.reader.learn(newer);
  fake.reader.learn({ ...newer, name: "Older", version: 2 });
  fake.reader.learnLabel({ ...label("l1", 3), name: "Newer" });
  fake.reader.learnLabel({ ...label("l1", 2), name: "Older" });
  expect([fake.state.project!.name, fake.state.project!.labels[0]!.name]).toEqual(["Newer", "Newer"]);
});

test("A new key is that of the board and of its tasks; a deleted label leaves the tasks.", async () => {
  const fake = new Fake();
  const reading = fake.reader.read();
  fake.reading[0]!(project({ key: "SHOP", version: 2 }));
  await reading;
  expect([fake.projectKey, fake.state.board.tasks.get("t1")!.key]).toEqual(["SHOP", "SHOP-1"]);
  fake.reader.forgetLabel("l1");
  expect([fake.state.project!.labels, fake.state.board.tasks.get("t1")!.labels]).toEqual([[], { nodes: [] }]);
});

test("A project that is not there any more is lost, unless the board has ended.", async () => {
  const fake = new Fake();
  const reading = fake.reader.read();
  fake.reading[0]!(null);
  await reading;
  expect(fake.lost).toBe(1);
  const late = fake.reader.read();
  fake.reader.end();
  fake.reading[1]!(null);
  await late;
  expect(fake.lost).toBe(1);
});
