// Touch: a finger scrolls, taps and presses long; it does not drag cards.
import assert from "node:assert/strict";
import { newUser } from "./people.mjs";
import { Window } from "./window.mjs";

const PHONE = { viewport: { width: 400, height: 700 }, hasTouch: true, isMobile: true };

/**
 * A finger. Movements are touch events of the protocol; a long press is one of the browser's touch emulation (the mouse is
 * the finger), because only there the browser recognizes it.
 */
async function finger(page) {
  const browser = await page.context().newCDPSession(page);
  await browser.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  const touch = (type, points) => browser.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  const send = (type, x, y) => {
    browser.send("Input.dispatchMouseEvent", { type, x, y, button: "left", buttons: 1, clickCount: 1 }).catch(() => {});
  };
  const emulate = (enabled) => browser.send("Emulation.setEmitTouchEventsForMouse", { enabled, configuration: "mobile" });
  return {
    down: (x, y) => touch("touchStart", [{ x, y }]),
    move: (x, y) => touch("touchMove", [{ x, y }]),
    up: () => touch("touchEnd", []),
    /** Presses until `isLong`, moves, and ends. The protocol does not answer to a mouse that is a finger. */
    async press(x, y, isLong) {
      await emulate(true);
      send("mousePressed", x, y);
      await isLong();
      send("mouseMoved", x + 30, y + 30);
      send("mouseReleased", x + 30, y + 30);
      await page.waitForFunction(() => window.ends > 0);
      await emulate(false);
    },
  };
}

async function onAPhone(stage, count) {
  const person = await newUser(stage.base);
  for (let number = count; number > 0; number--) await person.create({ title: `Touch ${number}` });
  const window = await Window.open(stage, person, PHONE);
  const { page } = window;
  await page.evaluate(() => {
    window.drags = [];
    window.presses = window.ends = 0;
    addEventListener("dragstart", (event) => window.drags.push(event.defaultPrevented));
    addEventListener("contextmenu", () => window.presses++);
    addEventListener("touchend", () => window.ends++);
  });
  return { window, page, finger: await finger(page) };
}

/** A long press, and a movement after it, start no drag of the browser; the card can still be opened and moved. */
export async function dragsNoCardByALongPress(stage) {
  const { window, page, finger } = await onAPhone(stage, 2);
  const { x, y, width, height } = await window.card("Touch 1").boundingBox();
  const drags = () => page.evaluate(() => window.drags.filter((isPrevented) => !isPrevented));
  await finger.press(x + width / 3, y + height / 2, async () => {
    await page.waitForFunction(() => window.presses > 0 || window.drags.length > 0);
    assert.deepEqual(await drags(), []);
  });
  assert.deepEqual(await drags(), []);
  assert.equal(await page.locator("[data-drop]").count(), 0);
  await page.getByRole("button", { name: "Move “Touch 1”" }).tap();
  await page.getByRole("menuitemradio", { name: "Done" }).tap();
  await window.cardIn("DONE", "Touch 1");
}

/** A finger that moves at once scrolls the column, also when it begins on a card. */
export async function scrollsByTouch(stage) {
  const { window, page, finger } = await onAPhone(stage, 15);
  const { x, y } = await window.card("Touch 6").boundingBox();
  await finger.down(x + 50, y + 10);
  for (let step = 1; step <= 10; step++) await finger.move(x + 50, y + 10 - 20 * step);
  await finger.up();
  const scrolled = () => [document.scrollingElement, ...document.querySelectorAll(".scroller")].some((each) => each.scrollTop > 50);
  await page.waitForFunction(scrolled);
  assert.deepEqual(await page.evaluate(() => window.drags), []);
}
