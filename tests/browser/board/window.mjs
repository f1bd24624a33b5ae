// One window on the board, with somebody signed in: what can be seen in it, and what hands can do.
import assert from "node:assert/strict";

const PATIENCE = 20_000;
const STATUSES = ["TODO", "IN_PROGRESS", "DONE", "CANCELLED"];

export class Window {
  constructor(page, person) {
    Object.assign(this, { page, person });
  }

  static async open(stage, person, { query = "", ...options } = {}) {
    const page = await stage.page({ viewport: { width: 1280, height: 800 }, ...options });
    await page.goto(`${stage.base}/board${query}`);
    await page.getByLabel("Username").fill(person.username);
    await page.getByLabel("Password").fill(person.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    const window = new Window(page, person);
    await window.phase("Live");
    return window;
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

  async drop() {
    await this.page.getByRole("button", { name: "Drop my connection" }).click();
  }

  async stop() {
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

  fact(name) {
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
