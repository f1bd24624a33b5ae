import { expect, test } from "vitest";

import { typed, type Edit } from "../src/board/edit";
import { save } from "../src/board/saving";
import type { Refusal } from "../src/board/submitter";

interface Fields {
  readonly name: string;
  readonly color: string;
}

const conflict: Refusal = { code: "CONFLICT", message: "It is at version 2, not 1.", path: ["expectedVersion"] };

/** A server that answers in turn, and has another value after each conflict. */
class Fake {
  theirs: { fields: Fields; version: number } | null = { fields: { name: "Bug", color: "#000000" }, version: 1 };
  edit: Edit<Fields> | undefined;
  readonly sent: unknown[] = [];
  settled: Partial<Fields> | null = null;

  constructor(name: string, private readonly answers: (Refusal | null)[], private readonly onRead: () => void = () => {}) {
    this.edit = typed<Fields>(undefined, "name", name, this.theirs!.fields);
  }

  save() {
    return save<Fields>({
      names: ["name", "color"], gone: "It is gone.", edit: () => this.edit, theirs: () => this.theirs,
      send: async (changes, version) => {
        this.sent.push([changes, version]);
        return this.answers.shift() ?? null;
      },
      read: async () => this.onRead(),
      settle: (sent) => (this.settled = sent),
    });
  }
}

test("After a conflict it reads, merges, and sends only what is left to send, with the new version.", async () => {
  const fake: Fake = new Fake("Defect", [conflict], () => (fake.theirs = { fields: { name: "Bug", color: "#ffffff" }, version: 2 }));
  expect(await fake.save()).toBeNull();
  expect(fake.sent).toEqual([[{ name: "Defect" }, 1], [{ name: "Defect" }, 2]]);
  expect(fake.settled).toEqual({ name: "Defect" });
});

test("What another user has set in the same way is not sent.", async () => {
  const fake: Fake = new Fake("Defect", [conflict], () => (fake.theirs = { fields: { name: "Defect", color: "#000000" }, version: 2 }));
  expect(await fake.save()).toBeNull();
  expect(fake.sent).toHaveLength(1);
});

test("What both changed differently, and what is gone, is not sent.", async () => {
  const other: Fake = new Fake("Defect", [conflict], () => (other.theirs = { fields: { name: "Fault", color: "#000000" }, version: 2 }));
  expect((await other.save())!.text).toMatch(/^Choose a value/);
  const gone: Fake = new Fake("Defect", [conflict], () => (gone.theirs = null));
  expect(await gone.save()).toEqual({ field: null, text: "It is gone." });
  expect(gone.settled).toBeNull();
});

test("A refusal belongs to its field, or to the form, and does not end in words of the API.", async () => {
  const taken: Refusal = { code: "ALREADY_EXISTS", message: "The project has a label named bug already.", path: ["name"] };
  expect(await new Fake("bug", [taken]).save()).toEqual({ field: "name", text: taken.message });
  const long: Refusal = { code: "INVALID", message: "name is 41 characters long; the maximum is 40.", path: ["name"] };
  expect((await new Fake("x", [long]).save())!.text).toMatch(/^Name is 41/);
  const forbidden: Refusal = { code: "FORBIDDEN", message: "The project is archived.", path: ["id"] };
  expect(await new Fake("x", [forbidden]).save()).toEqual({ field: null, text: "The project is archived." });
});

test("It gives up when others change it each time.", async () => {
  const fake: Fake = new Fake("Defect", Array(9).fill(conflict), () => (fake.theirs = { ...fake.theirs!, version: fake.theirs!.version + 1 }));
  expect((await fake.save())!.text).toMatch(/Others keep changing/);
  expect(fake.sent).toHaveLength(4);
});
