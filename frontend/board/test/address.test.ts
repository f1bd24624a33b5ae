import { expect, test } from "vitest";

import { closed, formatView, LONGEST_SEARCH, parseView, type View } from "../src/board/address";
import { EVERYTHING } from "../src/board/columns";

const view: View = {
  task: "VGFzazox+/=", creating: false,
  wanted: { search: "boat & sail", whose: "ASSIGNED", priority: "HIGH", order: "DUE" },
};

test("A view is the same after it was in the address.", () => {
  expect(parseView(formatView(view, ""))).toEqual(view);
  const creating = { ...closed(view), creating: true };
  expect(parseView(formatView(creating, ""))).toEqual(creating);
});

test("The plain board has a plain address, and parameters of others stay.", () => {
  expect(formatView({ task: null, creating: false, wanted: EVERYTHING }, "?task=t1&search=x")).toBe("");
  expect(formatView({ task: null, creating: false, wanted: EVERYTHING }, "?stop=3&task=t1")).toBe("?stop=3");
});

test("What an address says that means nothing is left out.", () => {
  expect(parseView("?whose=toString&priority=9&order=&task=")).toEqual({ task: null, creating: false, wanted: EVERYTHING });
  expect(parseView(`?search=${"x".repeat(999)}`).wanted.search.length).toBe(LONGEST_SEARCH);
});
