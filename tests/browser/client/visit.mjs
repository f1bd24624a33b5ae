// A visit of the page of `page/`: what it shows, and what its stream has delivered.
import assert from "node:assert/strict";
import { until, watched } from "../stage.mjs";

/** What the browser itself reports while the wire is cut, or the page is offline. */
const CUT = /^Failed to load resource|^WebSocket connection to|ERR_INTERNET_DISCONNECTED/;

export class Visit {
  constructor(page) {
    this.page = page;
    this.complaints = watched(page, "").complaints;
    this.frames = [];
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => this.#keep(payload)));
    this.renewals = 0;
    page.on("request", (request) => (this.renewals += /StaySignedIn/.test(request.postData() ?? "") ? 1 : 0));
  }

  /** Opens the page with these options of its app; with a *person* it is signed in, and its stream is live. */
  static async open(context, url, { person, path = "page.html", ...options } = {}) {
    const visit = new Visit(await context.newPage());
    await visit.page.goto(`${url}${path}?${encodeURIComponent(JSON.stringify(options))}`);
    if (person) await visit.signIn(person);
    return visit;
  }

  async signIn({ username, password }) {
    await this.page.evaluate(([name, word]) => window.app.session.signIn(name, word), [username, password]);
    await this.live();
  }

  signOut() {
    return this.page.evaluate(() => window.app.session.signOut());
  }

  /** Waits for the words of the line of state. */
  says(...words) {
    return until(async () => {
      const said = (await this.page.locator("output").innerText()).split(" ");
      return words.every((word) => said.includes(word));
    }, `the page says ${words.join(" ")}`);
  }

  /** Waits until the subscription runs on an open connection: the server has answered what was sent after it. */
  async live() {
    await this.page.waitForFunction(() => window.app.stream.status.state === "connected");
    await until(() => this.frames.some(({ type }) => type === "subscribe"), "there is a subscription");
  }

  /** Waits until the list is this one, in any order. */
  shows(...lines) {
    const wanted = lines.toSorted();
    return until(async () => {
      const shown = await this.page.getByRole("listitem").allInnerTexts();
      return JSON.stringify(shown.toSorted()) === JSON.stringify(wanted);
    }, `the page shows ${JSON.stringify(wanted)}`);
  }

  status() {
    return this.page.evaluate(() => window.app.stream.status);
  }

  /** The subscription delivers these changes, each once, in this order: `STATUS: title`. */
  async receives(...changes) {
    const read = () => this.page.evaluate(() => window.seen.items.map(({ __typename, changes, task }) => (task ? `${changes}: ${task.title}` : __typename)));
    await until(async () => (await read()).length >= changes.length, `${changes.length} items have arrived`);
    assert.deepEqual(await read(), changes);
  }

  complained() {
    return this.complaints.filter((text) => !CUT.test(text));
  }

  /** Nothing was reported to the console, and no item came twice. */
  async wasClean() {
    assert.deepEqual(this.complained(), []);
    const cursors = await this.page.evaluate(() => window.seen.items.map(({ cursor }) => cursor));
    assert.equal(new Set(cursors).size, cursors.length);
  }

  #keep(payload) {
    this.frames.push(JSON.parse(payload));
  }
}
