// A window with the board and a signed-in user: its content and its actions.
import assert from "node:assert/strict";

const PATIENCE = 20_000;
const STATUSES = ["TODO", "IN_PROGRESS", "DONE", "CANCELLED"];

export class Window {
  constructor(page, person) {
    Object.assign(this, { page, person });
  }

  static async open(stage, person, { query = "", base = stage.base, ...options } = {}) {
    const page = await stage.page({ viewport: { width: 1280, height: 800 }, base, ...options });
    await page.goto(`${base}/board${query}`);
    const window = new Window(page, person);
    await window.signIn();
    return window;
  }

  async signIn(person = this.person) {
    await this.page.getByLabel("Username").fill(person.username);
    await this.page.getByLabel("Password").fill(person.password);
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await this.phase("Live");
  }

  /** The open dialog; the one on top, where there are two. */
  get dialog() {
    return this.page.getByRole("dialog");
  }

  /** What asks before something is lost. */
  get question() {
    return this.page.getByRole("alertdialog");
  }

  /** Answers it with the button of this name. */
  async answer(name) {
    await this.question.getByRole("button", { name }).click();
    await this.question.waitFor({ state: "detached" });
  }

  /** What has the focus: the name of an input, else the text. */
  focused() {
    return this.page.evaluate(() => document.activeElement.getAttribute("name") ?? document.activeElement.innerText);
  }

  /** The parameters of the address, when they are these. */
  async address(expected) {
    const isThere = (url) => JSON.stringify(Object.fromEntries(url.searchParams)) === JSON.stringify(expected);
    await this.page.waitForURL(isThere, { timeout: PATIENCE, waitUntil: "commit" });
  }

  column(status) {
    return this.page.locator(`[data-status=${status}]`);
  }

  card(title) {
    return this.page.locator(".card", { has: this.page.locator(".title", { hasText: new RegExp(`^${title}$`) }) });
  }

  /** The card, when it is in this column. */
  async cardIn(status, title) {
    const card = this.column(status).locator(".card", { hasText: title });
    await card.waitFor({ timeout: PATIENCE });
    return card;
  }

  async focus(title) {
    await this.card(title).locator(".open").focus();
  }

  async drag(title, status) {
    await this.card(title).dragTo(this.column(status));
  }

  /** Chooses an entry of the menu of boards. */
  async board(name, role = "menuitemradio") {
    await this.page.locator("button.project").click();
    await this.page.getByRole(role, { name }).click();
  }

  /** The titles of a column, when they are these. */
  async order(status, ...expected) {
    const titles = this.column(status).locator(".title");
    const until = Date.now() + PATIENCE;
    for (;;) {
      const shown = await titles.allTextContents();
      if (`${shown}` === `${expected}`) return;
      if (Date.now() > until) assert.deepEqual(shown, expected);
      await this.page.waitForTimeout(50);
    }
  }

  /** Drags a card to the upper edge of another one. */
  async dragBefore(title, other) {
    const from = await this.card(title).boundingBox(), to = await this.card(other).boundingBox();
    await this.page.mouse.move(from.x + 40, from.y + 20);
    await this.page.mouse.down();
    await this.page.mouse.move(to.x + 40, to.y + 8, { steps: 5 });
    await this.page.mouse.move(to.x + 42, to.y + 6, { steps: 2 }); // the first move to a card is only `dragenter`
    await this.page.locator(".card.insert", { hasText: other }).waitFor();
    await this.page.mouse.up();
  }

  /** The notice of a refusal, when it is there; it is dismissed. */
  async refusal() {
    const notice = this.page.locator(".notice.refused").first();
    await notice.waitFor({ timeout: PATIENCE });
    const text = await notice.locator("span").innerText();
    await notice.getByRole("button", { name: "Dismiss" }).click();
    return text;
  }

  async phase(name) {
    await this.page.locator(".phase", { hasText: name }).waitFor({ timeout: PATIENCE });
  }

  /** Opens the figures of the connection, and the buttons beside them. */
  async details() {
    const button = this.page.getByRole("button", { name: "Details" });
    if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
  }

  async drop() {
    await this.details();
    await this.page.getByRole("button", { name: "Drop my connection" }).click();
  }

  async stop() {
    await this.details();
    await this.page.getByRole("button", { name: "Stop for" }).click();
    await this.phase("Stopped");
  }

  /** What the footer says after an absence, when it has caught up. */
  async caughtUp() {
    await this.phase("Live");
    const story = this.page.locator(".story", { hasText: "Caught up" });
    await story.waitFor({ timeout: PATIENCE });
    return story.innerText();
  }

  async fact(name) {
    await this.details();
    return this.page.locator(".stream dl div", { hasText: name }).locator("dd").innerText();
  }

  async counts() {
    const texts = await this.page.locator(".column .count").allInnerTexts();
    return texts.map((text) => Number(text.match(/[\d,]+/)[0].replace(",", "")));
  }

  /** The columns count what a fresh fetch counts. */
  async equalsCounts() {
    const until = Date.now() + PATIENCE;
    for (;;) {
      const listed = await this.person.list();
      const expected = STATUSES.map((status) => listed.filter((task) => task.status === status).length);
      const shown = await this.counts();
      if (shown.join() === expected.join()) return;
      if (Date.now() > until) assert.deepEqual(shown, expected);
      await this.page.waitForTimeout(100);
    }
  }

  /** The board as it is drawn: titles by column, all of them. */
  async shown() {
    for (const more of await this.page.locator(".show-more").all()) await more.scrollIntoViewIfNeeded().catch(() => {});
    return this.page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll("[data-status]")].map((column) => [
          column.dataset.status,
          [...column.querySelectorAll(".card")].map((card) => {
            const assignee = card.querySelector(".avatar")?.title.replace("Assigned to ", "") ?? null;
            return [card.querySelector(".title").textContent, assignee];
          }),
        ]),
      ),
    );
  }

  /** The drawn board is what a fresh fetch shows, in the same order. */
  async equalsServer() {
    const until = Date.now() + PATIENCE;
    for (;;) {
      const expected = { TODO: [], IN_PROGRESS: [], DONE: [], CANCELLED: [] };
      for (const { title, status, assignee } of await this.person.list()) {
        expected[status].push([title, assignee?.username ?? null]);
      }
      const shown = await this.shown();
      if (JSON.stringify(shown) === JSON.stringify(expected)) return;
      if (Date.now() > until) assert.deepEqual(shown, expected);
      await this.page.waitForTimeout(100);
    }
  }
}
