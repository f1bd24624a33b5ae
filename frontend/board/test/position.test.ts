import { expect, test } from "vitest";

import { placeOf } from "../src/stream/position";

const encoded = (text: string) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

test.each(["s1.e-1.42.3", "s2.e-1.42.3.281474976710655"])("The cursor %s has a place.", (text) => {
  expect(placeOf(encoded(text))).toEqual({ epoch: "e-1", position: 42 });
});

test.each(["s3.e-1.42.3", "s2..42.3.1", "s1.e-1.x.3", "s1", ""])("The cursor %j has none.", (text) => {
  expect(placeOf(encoded(text))).toBeNull();
});

test("Other text has none.", () => {
  expect([placeOf(null), placeOf("%")]).toEqual([null, null]);
});
