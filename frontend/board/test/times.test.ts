import { expect, test } from "vitest";

import { fromInput, toInput } from "../../common/ui/times";
import { letterOf } from "../src/ui/use";

test("A date goes into an input and back.", () => {
  const instant = fromInput("2027-03-04T05:06");
  expect(toInput(instant)).toBe("2027-03-04T05:06");
  expect([toInput(null), fromInput("")]).toEqual(["", null]);
});

test("A year of five digits, and what is no date, are no date, and throw nothing.", () => {
  for (const value of ["12027-03-04T05:06", "275760-09-13T00:00", "999999-01-01T00:00", "soon"]) expect(fromInput(value)).toBeNull();
  for (const instant of ["+012027-03-04T05:06:00.000Z", "soon"]) expect(toInput(instant)).toBe("");
});

test("Shortcuts work with Caps Lock.", () => {
  const event = (key: string, shiftKey: boolean, capsLock: boolean) =>
    letterOf({ key, shiftKey, getModifierState: (name: string) => name === "CapsLock" && capsLock });
  expect([event("n", false, false), event("N", false, true), event("N", true, false), event("?", true, true)]).toEqual(["n", "n", "N", "?"]);
});
