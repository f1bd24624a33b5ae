import { expect, test } from "vitest";

import { contrast, luminance, textOn } from "../src/board/contrast";
import { dice } from "./builders";

test("Text is dark on light colours and light on dark ones.", () => {
  expect(textOn("#ffffff")).toBe("#000000");
  expect(textOn("#ffcc00")).toBe("#000000");
  expect(textOn("#1a3f8a")).toBe("#ffffff");
});

test("On every colour the contrast is at least 4.5.", () => {
  const roll = dice(7);
  for (let round = 0; round < 2_000; round++) {
    const color = `#${Array.from({ length: 3 }, () => roll(256).toString(16).padStart(2, "0")).join("")}`;
    expect(contrast(luminance(color), luminance(textOn(color))), color).toBeGreaterThan(4.5);
  }
});
