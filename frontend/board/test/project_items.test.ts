import { expect, test } from "vitest";

import type { ProjectChange } from "../src/api/gql/graphql";
import { EMPTY, fold, merge, type Item } from "../src/board/fold";
import { mayCreate } from "../src/board/project";
import { needsOf, within } from "../src/board/project_items";
import { aTask, changedTo, cursorAt } from "./builders";

const at = "2026-01-01T00:00:00Z";
const ofProject = (projectChange: ProjectChange, labelId: string | null = null): Item =>
  ({ __typename: "ProjectChanged", cursor: cursorAt(11), at, taskId: null, task: null, projectChange, labelId });
const other = (__typename: "MemberChanged" | "ProjectRoleChanged" | "ProjectGone"): Item =>
  ({ __typename, cursor: cursorAt(11), at, taskId: null, task: null }) as Item;
const here = { id: "p1", key: "WEB" }, there = { id: "p2", key: "SHOP" };
const task = aTask({ project: here, rank: "a" });

test("New ranks, an archived project and another role have the tasks read again; a new label only the project.", () => {
  for (const change of ["RANKS", "ARCHIVED", "REOPENED"] as const) expect(needsOf([ofProject(change)]).tasks).toBe(true);
  expect(needsOf([other("ProjectRoleChanged")])).toMatchObject({ tasks: true, project: true, members: true });
  expect(needsOf([ofProject("LABEL_CREATED")])).toMatchObject({ tasks: false, project: true, members: false });
  expect(needsOf([changedTo(task, 11)])).toMatchObject({ tasks: false, project: false, members: false, gone: false });
});

test("A project that is deleted, or that the viewer may no longer see, is gone.", () => {
  expect(needsOf([other("ProjectGone")]).gone).toBe(true);
  expect(needsOf([ofProject("DELETED")]).gone).toBe(true);
  expect(needsOf([other("MemberChanged")])).toMatchObject({ gone: false, members: true, project: false });
});

test("A deleted label is taken from the tasks; another change of a label only has the project read again.", () => {
  expect(needsOf([ofProject("LABEL_DELETED", "l1"), ofProject("LABEL_UPDATED", "l2")])).toMatchObject({
    deletedLabels: ["l1"], project: true, tasks: false,
  });
});

test("A comment brings the number of comments without a new version, and has the comments read again.", () => {
  const item = { ...changedTo(aTask({ project: here, commentCount: 3 }), 11), __typename: "CommentChanged" } as Item;
  expect(needsOf([item]).comments).toEqual(["t1"]);
  const board = fold(merge(EMPTY, [task], { epoch: "e", position: 10 }), [item]);
  expect(board.tasks.get("t1")!.commentCount).toBe(3);
});

test("A task that moves to another project leaves the board, and comes back with it.", () => {
  const board = merge(EMPTY, [task], { epoch: "e", position: 10 });
  const away = fold(board, [within("p1", changedTo(aTask({ project: there, version: 2 }), 11))]);
  expect(away.tasks.size).toBe(0);
  const back = fold(away, [within("p1", changedTo(aTask({ project: here, version: 3 }), 12))]);
  expect(back.tasks.get("t1")!.version).toBe(3);
  expect(fold(board, [within(null, changedTo(aTask({ project: there, version: 2 }), 11))]).tasks.size).toBe(1);
});

test("Members and managers create tasks in a project that is not archived; admins in each of these.", () => {
  expect(mayCreate(null, false)).toBe(true);
  expect(mayCreate({ isArchived: false, viewerRole: "MEMBER" }, false)).toBe(true);
  expect(mayCreate({ isArchived: false, viewerRole: "VIEWER" }, false)).toBe(false);
  expect(mayCreate({ isArchived: false, viewerRole: null }, true)).toBe(true);
  expect(mayCreate({ isArchived: true, viewerRole: "MANAGER" }, true)).toBe(false);
});
