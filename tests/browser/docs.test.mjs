// Uses /docs as a person does: signs in with "Authorize", and clicks "Try it out" at every endpoint.
import assert from "node:assert/strict";
import { test } from "node:test";
import { USER, onStage, picture, until, watchedPage } from "./stage.mjs";

class Docs {
  constructor(page) {
    this.page = page;
    this.tried = new Set();
  }

  /** Clicks "Try it out" and "Execute"; the status must be the given one, and the answer as shown is returned. */
  async answers(operation, status, { params = {}, form = {}, body, shows = /./ }) {
    const block = this.page.locator(`#operations-${operation}`);
    const isOpen = await block.evaluate((element) => element.classList.contains("is-open"));
    if (!isOpen) {
      await block.locator(".opblock-summary-control").click();
      await block.getByRole("button", { name: "Try it out" }).click();
    }
    for (const [name, value] of Object.entries(params))
      await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
    for (const [name, value] of Object.entries(form))
      await block.locator(`tr[data-property-name="${name}"] input`).fill(value);
    if (body) await block.locator("textarea").fill(JSON.stringify(body));
    const answered = this.page.waitForResponse((response) => response.url().includes("/api/v1/"));
    await block.getByRole("button", { name: "Execute" }).click();
    await answered;
    const shown = block.locator(".live-responses-table tbody .response").first();
    await shown.locator(".response-col_status", { hasText: String(status) }).waitFor({ timeout: 10_000 }).catch(async () => {
      assert.fail(`${operation} was to answer ${status}: ${await shown.innerText()}`);
    });
    const text = await shown.innerText();
    assert.match(text, shows);
    this.tried.add(operation);
    return text;
  }
}

test("Every endpoint answers as described, and the page sends requests to this server only.", () => onStage(async (browser, base) => {
  const { page, complaints, foreign } = await watchedPage(browser, base, { viewport: { width: 1280, height: 1600 } });
  await page.goto(`${base}/docs`);
  await page.getByText("Taskriver REST").first().waitFor();
  await picture(page, "docs-1-page");

  const docs = new Docs(page);
  await authorize(page);
  await docs.answers("auth-register", 201, {}); // the example, as it stands
  await docs.answers("auth-login", 200, { form: USER, shows: /"token_type": "bearer"/ });
  await docs.answers("auth-refresh", 200, { shows: /"access_token"/ });
  await docs.answers("auth-list_sessions", 200, { shows: /"user_agent": "Mozilla/ });
  await docs.answers("auth-list_sessions_get", 200, { shows: /"used": true/ });
  await docs.answers("users-about_me", 200, { shows: /"username": "alice"/ });

  const created = await docs.answers("tasks-create_task", 201, { shows: /"title": "Water the plants"/ });
  await docs.answers("tasks-create_task", 201, {}); // nothing is filled in that makes a second one a conflict
  const task_id = created.match(/"uuid": "([^"]+)"/)[1];
  await docs.answers("tasks-list_tasks", 200, { shows: /"owner_uuid"/ });
  await docs.answers("tasks-get_task", 200, { params: { task_id }, shows: /etag: "1"/i });
  await docs.answers("tasks-update_task", 200, {
    params: { task_id, "If-Match": '"1"' },
    body: { title: "Changed from the docs", completed: true },
    shows: /"title": "Changed from the docs"[^]*"completed": true[^]*etag: "2"/i,
  });
  await picture(page, "docs-3-changed");
  await docs.answers("tasks-update_task_patch", 200, { params: { task_id }, body: { completed: false } });
  await docs.answers("tasks-delete_task", 204, { params: { task_id } });

  await docs.answers("auth-logout", 204, {});
  await docs.answers("users-about_me", 401, { shows: /"detail": "Invalid token"/ });
  await picture(page, "docs-4-signed-out");
  await authorize(page, "again");
  await docs.answers("auth-logout_all", 204, {});

  const all = await page.locator(".opblock").evaluateAll((blocks) => blocks.map((block) => block.id));
  assert.deepEqual([...docs.tried].sort(), all.map((id) => id.replace("operations-", "")).sort());
  // The browser itself notes the 401 that was wanted.
  assert.deepEqual(complaints.filter((text) => !text.includes("401 (Unauthorized)")), []);
  assert.deepEqual(foreign, []);
}));

test("The page follows the colour scheme of the browser.", () => onStage(async (browser, base) => {
  const { page, complaints } = await watchedPage(browser, base, { colorScheme: "dark" });
  await page.goto(`${base}/docs`);
  await page.getByText("Taskriver REST").first().waitFor();
  const textColour = () => page.locator(".info .title").evaluate((title) => Number(getComputedStyle(title).color.match(/\d+/)[0]));
  assert.ok(await textColour() > 180);
  await picture(page, "docs-5-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await until(async () => await textColour() < 80, "the text is dark on a light page");
  assert.deepEqual(complaints, []);
}));

async function authorize(page, again) {
  await page.locator(".auth-wrapper .authorize").first().click();
  const dialog = page.locator(".modal-ux");
  if (!again) {
    // The dialog opens at its first field, and asks for nothing that a person cannot know.
    assert.equal(await dialog.locator(".modal-ux-content").evaluate((content) => content.scrollTop), 0);
    assert.equal(await dialog.getByText("refresh_token").count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.id), "oauth_username");
  }
  const signOut = dialog.getByRole("button", { name: /Logout|Remove authorization/ });
  if (again) await signOut.click();
  await dialog.locator("#oauth_username").fill(USER.username);
  await dialog.locator("#oauth_password").fill(USER.password);
  if (!again) await picture(page, "docs-2-authorize");
  await dialog.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  await signOut.waitFor();
  await dialog.getByRole("button", { name: "Close" }).first().click();
}
