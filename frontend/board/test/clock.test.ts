import { expect, test } from "vitest";

import { latency, narrowed, observed } from "../src/stream/clock";

test("A response after 20 ms gives the server's clock to within 10 ms.", () => {
  // The server is 1,000 ms ahead, and answered in the middle.
  expect(observed(6_010, 5_000, 5_020)).toEqual({ least: 990, most: 1_010 });
});

test("Two observations are true together; if they cannot be, the newer one is.", () => {
  const known = { least: 990, most: 1_010 };
  expect(narrowed(known, { least: 1_000, most: 1_030 })).toEqual({ least: 1_000, most: 1_010 });
  expect(narrowed(known, { least: -5, most: 5 })).toEqual({ least: -5, most: 5 });
});

test("A latency has its maximum error, and is never negative.", () => {
  expect(latency(6_000, 5_030, { least: 990, most: 1_010 })).toEqual({ milliseconds: 30, give: 10 });
  expect(latency(6_000, 5_000, { least: 980, most: 1_010 })).toEqual({ milliseconds: 5, give: 5 });
});

test("Where nothing is known of the clocks, that is said.", () => {
  expect(latency(6_000, 5_000, null)).toEqual({ milliseconds: -1_000, give: null });
});
