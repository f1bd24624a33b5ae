import { expect, test } from "vitest";

import { BEGINNING, caughtUp, connected, headed, lost, over, stands, delivered, type Standing } from "../src/stream/standing";
import { cursorAt } from "./builders";

const at = "2026-01-01T00:00:00Z";
const receive = (standing: Standing, ...positions: number[]) =>
  positions.reduce((now, position) => delivered(now, { cursor: cursorAt(position), at }, Date.parse(at) + 7, null), standing);
const live = receive(connected(BEGINNING, 1_000), 5);

test("The first connection is no return: nothing is replayed, and an event's latency is that of the line.", () => {
  expect(live).toMatchObject({ phase: "LIVE", connections: 1, replay: null, latency: { milliseconds: 7 } });
});

test("Events up to the head at the reconnect count as missed, later ones as live.", () => {
  const back = connected(lost(live, "broke", 2_000, false), 5_000);
  const early = receive(back, 6, 7);
  const known = headed(early, cursorAt(8));
  const end = receive(known, 8, 9);
  expect(end.replay).toMatchObject({ since: 2_000, back: 5_000, count: 3 });
  expect(caughtUp(end).phase).toBe("LIVE");
});

test("A replayed event says nothing about the latency of the line.", () => {
  const back = headed(connected(lost({ ...live, latency: null }, "broke", 2_000, false), 5_000), cursorAt(8));
  expect(receive(back, 6).latency).toBeNull();
  expect(receive(back, 9).latency).not.toBeNull();
});

test("Who is lost again before having caught up has been away since the first time, and counts on.", () => {
  const back = receive(headed(connected(lost(live, "broke", 2_000, false), 3_000), cursorAt(8)), 6);
  const again = headed(connected(lost(back, "broke", 4_000, false), 6_000), cursorAt(8));
  expect(receive(again, 7, 8).replay).toMatchObject({ since: 2_000, back: 6_000, count: 3 });
});

test("Failed attempts to come back do not make the absence begin anew.", () => {
  const away = lost(lost(live, "broke", 2_000, true), "refused", 9_000, true);
  expect(away).toMatchObject({ phase: "STOPPED", since: 2_000 });
});

test("A stream that has ended stays ended when its socket closes.", () => {
  const ended = lost(over(live, "No more of this."), "Normal Closure (1000)", 2_000, false);
  expect(ended).toMatchObject({ phase: "OVER", why: "No more of this." });
});

test("A ping moves the cursor on, and never back.", () => {
  expect(stands(live, cursorAt(9)).cursor).toBe(cursorAt(9));
  expect(stands(live, cursorAt(3)).cursor).toBe(cursorAt(5));
});
