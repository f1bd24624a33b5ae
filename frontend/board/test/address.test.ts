import { expect, test } from "vitest";

import { closed, formatView, isKey, LONGEST_SEARCH, ofProject, parseView, type View } from "../src/board/address";
import { EVERYTHING } from "../src/board/columns";

const view: View = {
  project: null, task: "VGFzazox+/=", creating: false,
  wanted: { search: "boat & sail", whose: "ASSIGNED", priority: "HIGH", order: "DUE", label: null },
};

test("A view is the same after it was in the address.", () => {
  expect(parseView(formatView(view, ""))).toEqual(view);
  const creating = { ...closed(view), creating: true };
  expect(parseView(formatView(creating, ""))).toEqual(creating);
});

test("The plain board has a plain address, and parameters of others stay.", () => {
  expect(formatView({ project: null, task: null, creating: false, wanted: EVERYTHING }, "?task=t1&search=x")).toBe("");
  expect(formatView({ project: null, task: null, creating: false, wanted: EVERYTHING }, "?stop=3&task=t1")).toBe("?stop=3");
});

test("What an address says that means nothing is left out.", () => {
  expect(parseView("?whose=toString&priority=9&order=&task=")).toEqual({ project: null, task: null, creating: false, wanted: EVERYTHING });
  expect(parseView(`?search=${"x".repeat(999)}`).wanted.search.length).toBe(LONGEST_SEARCH);
});

test("The board of a project has its key in the address, and begins with the manual order.", () => {
  expect(parseView("?project=shop")).toEqual(ofProject("SHOP"));
  expect(formatView(ofProject("SHOP"), "?search=x&order=due")).toBe("?project=SHOP");
  expect(parseView("?project=SHOP&order=due&label=l1").wanted).toMatchObject({ order: "DUE", label: "l1" });
});

test("The board of all tasks has no manual order and no labels.", () => {
  expect(parseView("?order=rank&label=l1").wanted).toEqual(EVERYTHING);
});

test("A task is named by its key where it has one.", () => {
  const open = { ...ofProject("SHOP"), task: "VGFzazo" };
  expect(formatView(open, "", () => "SHOP-12")).toBe("?project=SHOP&task=SHOP-12");
  expect(isKey("shop-12")).toBe(true);
  expect(isKey("VGFzazoBoivyIcx32KPL2TIRK-12")).toBe(false);
  expect(isKey("SHOP-0")).toBe(false);
});
