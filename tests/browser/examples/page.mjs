// The page of an example with a signed-in user: its content and its actions.
import { until } from "../stage.mjs";

const STATUSES = { TODO: "to do", IN_PROGRESS: "in progress", DONE: "done", CANCELLED: "cancelled" };

export class Tasks {
  constructor(page) {
    this.page = page;
  }

  static async open(page, url, person) {
    await page.goto(url);
    await page.getByLabel("Username").fill(person.username);
    await page.getByLabel("Password").fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    const tasks = new Tasks(page);
    await tasks.live();
    return tasks;
  }

  live() {
    return this.page.getByText("Live", { exact: true }).waitFor();
  }

  status(title) {
    return this.page.getByLabel(`Status of ${title}`, { exact: true });
  }

  async move(title, status) {
    await this.status(title).selectOption(STATUSES[status]);
  }

  /** Waits until a task is shown in this column. */
  is(title, status) {
    return until(async () => (await this.status(title).inputValue()) === status, `${title} is shown as ${status}`);
  }

  /** All that is shown, in its order. */
  shown() {
    return this.page.getByRole("list", { name: "Tasks" }).getByRole("combobox").evaluateAll((rows) =>
      rows.map((row) => [row.getAttribute("aria-label").replace("Status of ", ""), row.value]),
    );
  }

  /** Reads further pages until a task is shown. */
  async show(title) {
    const more = this.page.getByRole("button", { name: "Show more" });
    await until(async () => {
      if (await this.status(title).count()) return true;
      if (await more.isVisible()) await more.click();
      return false;
    }, `${title} is in the list`);
  }

  /** Waits until so many tasks are shown. */
  count(many) {
    return until(async () => (await this.shown()).length === many, `${many} tasks are shown`);
  }

  /**
   * Holds what the page asks in this operation, or what is answered, until the returned function is called. Its `answered` is
   * resolved when the first answer is held.
   */
  async hold(operation, { answers = false } = {}) {
    let release, wasAnswered;
    const released = new Promise((done) => (release = done));
    release.answered = new Promise((done) => (wasAnswered = done));
    await this.page.route("**/graphql", async (route) => {
      if (!isOf(route.request(), operation)) return route.fallback();
      const response = answers ? await route.fetch() : undefined;
      wasAnswered();
      await released;
      await (answers ? route.fulfill({ response }) : route.continue());
    });
    return release;
  }

  /** Counts from now on how often the page asks an operation. */
  counting(operation) {
    const counted = { times: 0 };
    this.page.on("request", (request) => isOf(request, operation) && counted.times++);
    return counted;
  }
}

export function isOf(request, operation) {
  return request.method() === "POST" && new RegExp(`(query|mutation) ${operation}\\b`).test(request.postData() ?? "");
}
