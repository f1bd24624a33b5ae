// The pages /account and /admin, with a server that requires trusted documents.
import assert from "node:assert/strict";
import { test } from "node:test";
import { complains } from "./axe.mjs";
import { client, inWords, onStage, picture, USER, until, watched, watchedPage } from "./stage.mjs";

const SETTINGS = { BCRYPT_ROUNDS: "4", TRUSTED_DOCUMENTS: "require" };
const LOOKS = {
  phone: { viewport: { width: 390, height: 844 } },
  zoomed: { viewport: { width: 640, height: 400 }, colorScheme: "dark" },
};

const scenarios = [
  managesTheAccount, endsOtherSessions, changesThePassword, worksWithKeysOnly, managesUsers, readsTheAuditLog, refusesOthers,
  looksGoodEverywhere,
];

test("The pages for accounts.", () => onStage(async (browser, base) => {
  for (const scenario of scenarios) await test(inWords(scenario.name), () => scenario(browser, base));
}, SETTINGS));

/** Opens a page as a demo user; nothing may be reported in the console, and nothing requested elsewhere. */
async function opened(browser, base, path, name, options) {
  const seen = await watchedPage(browser, base, options);
  await seen.page.goto(`${base}${path}`);
  await signIn(seen.page, name);
  return seen;
}

async function signIn(page, name, password = USER.password) {
  await page.getByLabel("Username").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Sign out", exact: true }).first().waitFor();
}

function part(page, title) {
  return page.locator("section", { has: page.getByRole("heading", { name: title, exact: true }) });
}

/** A token is created with the chosen scopes, shown once, works, and no longer works after it is revoked. */
async function managesTheAccount(browser, base) {
  const { page, complaints, foreign } = await opened(browser, base, "/board", "alice");
  await page.getByRole("link", { name: "Account" }).first().click();
  await page.getByText("alice@example.org").waitFor();
  const tokens = part(page, "Personal access tokens");
  await tokens.getByRole("button", { name: "New token" }).click();
  assert.equal(await tokens.getByText("admin", { exact: true }).count(), 0, "a user has nothing that the scope admin adds");
  await tokens.getByRole("checkbox", { name: /tasks:read/ }).uncheck();
  await tokens.getByLabel("Name", { exact: true }).fill("Reports");
  await tokens.getByRole("button", { name: "Create token" }).click();
  await tokens.getByText("Choose at least one scope.").waitFor();
  await tokens.getByRole("checkbox", { name: /tasks:write/ }).check();
  await tokens.getByLabel("Expires after").selectOption("365");
  await tokens.getByRole("button", { name: "Create token" }).click();
  const secret = await tokens.getByLabel(/Copy the token now/).inputValue();
  assert.match(secret, /^trv_pat_/);
  assert.equal(await status(base, secret), 200);
  await tokens.getByText("tasks:write · expires").waitFor();
  await page.reload();
  await tokens.getByText("Reports").waitFor();
  assert.ok(!(await page.content()).includes(secret));

  await tokens.getByRole("button", { name: "Revoke Reports" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(await status(base, secret), 200);
  await tokens.getByRole("button", { name: "Revoke Reports" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await tokens.getByText("is revoked.").waitFor();
  assert.equal(await tokens.getByText("Reports", { exact: true }).count(), 0);
  await until(async () => (await status(base, secret)) === 401, "the token is refused");
  assert.deepEqual([complaints, foreign], [[], []]);
}

async function status(base, token) {
  return (await fetch(`${base}/api/v1/tasks`, { headers: { authorization: `Bearer ${token}` } })).status;
}

/** One other session, then all others; their pages show the sign-in again. */
async function endsOtherSessions(browser, base) {
  const others = [];
  for (let count = 0; count < 3; count++) others.push((await opened(browser, base, "/account", "bob")).page);
  const { page } = await opened(browser, base, "/account", "bob");
  const sessions = part(page, "Sessions");
  await until(async () => (await sessions.getByRole("listitem").count()) === 4, "all sessions are listed");
  assert.equal(await sessions.getByText("this one").count(), 1);
  await sessions.getByRole("listitem").getByRole("button").first().click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out" }).click();
  await sessions.getByText("One session has ended.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Sessions");
  await sessions.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out" }).click();
  await sessions.getByText("2 sessions have ended.").waitFor();
  assert.equal(await sessions.getByRole("listitem").count(), 1);
  for (const other of others) {
    await other.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await other.getByText("Your session has ended.").waitFor();
    await other.context().close();
  }
}

/** Each error is at its field; with the new password one can sign in. */
async function changesThePassword(browser, base) {
  const { page } = await opened(browser, base, "/account", "bob");
  const form = page.getByRole("form", { name: "Change password" });
  const change = async (current, wanted, again = wanted) => {
    const values = { "Current password": current, "New password": wanted, "New password again": again };
    for (const [label, value] of Object.entries(values)) await form.getByLabel(label, { exact: true }).fill(value);
    await page.keyboard.press("Enter");
  };
  const isWrong = (label) => until(
    async () => (await form.getByLabel(label, { exact: true }).getAttribute("aria-invalid")) === "true", `${label} is wrong`,
  );
  await change("Wrong-123", "Taskriver-2");
  await isWrong("Current password");
  await change(USER.password, "short");
  await isWrong("New password");
  await change(USER.password, "Taskriver-2", "Taskriver-3");
  await isWrong("New password again");
  await change(USER.password, "Taskriver-2");
  await page.getByText("The password is changed.").waitFor();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await signIn(page, "bob", "Taskriver-2");
}

/** Every control can be reached and used with the keyboard, and Escape closes a question. */
async function worksWithKeysOnly(browser, base) {
  const { page } = await opened(browser, base, "/account", "moderator");
  await page.getByRole("button", { name: "New token" }).focus();
  await page.keyboard.press("Enter");
  await until(() => page.evaluate(() => document.activeElement.name === "name"), "the form has the focus");
  await page.keyboard.type("Keys");
  await page.keyboard.press("Enter");
  await until(() => page.evaluate(() => document.activeElement.value?.startsWith("trv_pat_")), "the secret has the focus");
  await page.getByRole("button", { name: "Revoke Keys" }).focus();
  await page.keyboard.press("Enter");
  await until(() => page.evaluate(() => document.activeElement.textContent === "Cancel"), "no is what the focus is on");
  await page.keyboard.press("Escape");
  await until(() => page.evaluate(() => document.activeElement.textContent === "Revoke"), "the focus is back");
}

/** Search, the role and the state of a user; each asks first, and the server has what the page says. */
async function managesUsers(browser, base) {
  const { page, complaints } = await opened(browser, base, "/admin", "admin");
  const row = page.getByRole("listitem").filter({ has: page.getByText("alice", { exact: true }) });
  await row.waitFor();
  await page.getByLabel("Search by the start of the name").fill("AL");
  await until(async () => (await page.getByRole("listitem").count()) === 1, "only one user is listed");
  await row.getByLabel("Role of alice").selectOption("moderator");
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(await row.getByLabel("Role of alice").inputValue(), "USER");
  await row.getByLabel("Role of alice").selectOption("moderator");
  await page.getByRole("alertdialog").getByRole("button", { name: "Change role" }).click();
  await page.getByText("alice is a moderator now.").waitFor();
  await row.getByRole("button", { name: "Disable alice" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Disable" }).click();
  await page.getByText("alice is disabled.").waitFor();
  await assert.rejects(() => client(base, "alice"));
  await row.getByRole("button", { name: "Enable alice" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Enable" }).click();
  await page.getByText("alice is enabled.").waitFor();
  await page.getByLabel("Search by the start of the name").fill("a%");
  await page.getByText("No user has a name that starts like this.").waitFor();
  await page.getByLabel("Search by the start of the name").fill("admin");
  await page.getByRole("button", { name: "Disable admin" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Disable" }).click();
  await page.getByRole("alert").getByText(/admin/).waitFor();
  assert.deepEqual(complaints, []);
}

/** Filters by what was done and by the user; the title of a time is in UTC. */
async function readsTheAuditLog(browser, base) {
  const { page } = await opened(browser, base, "/admin", "admin", { timezoneId: "Pacific/Auckland" });
  await page.getByRole("link", { name: "Audit log", exact: true }).click();
  await page.getByLabel("What was done").selectOption("Role changed");
  const entry = page.getByRole("listitem").first();
  await until(async () => (await page.getByRole("listitem").count()) === 1, "there is one entry");
  assert.match(await entry.innerText(), /Role changed alice[^]*admin[^]*from: USER/);
  assert.match(await entry.locator("time").getAttribute("title"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  await entry.getByRole("button", { name: "Only what admin did" }).click();
  await page.getByText("By admin only.").waitFor();
  await page.getByLabel("What was done").selectOption("Everything");
  await page.getByRole("list").getByText("User enabled").waitFor();
  assert.equal(await page.getByRole("list").getByText("Server started").count(), 0);
  await page.getByLabel("Before").fill("2020-01-01T00:00");
  await page.getByText("There are no such entries.").waitFor();
}

/** A moderator sees why there is nothing, and is offered no link. */
async function refusesOthers(browser, base) {
  const { page } = await opened(browser, base, "/admin/audit", "moderator");
  await page.getByRole("heading", { name: "You may not see this page" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0);
  await complains(page, "refused");
}

/** On a phone, with 200 % zoom and in the dark nothing is wider than the page, and axe finds nothing. */
async function looksGoodEverywhere(browser, base) {
  for (const [look, options] of Object.entries(LOOKS)) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const { complaints } = watched(page, base);
    const check = async (where) => {
      await picture(page, `account-${where}-${look}`);
      await complains(page, `${where}, ${look}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where} is too wide (${look})`);
    };
    await page.goto(`${base}/account`);
    await page.getByLabel("Username").waitFor();
    await check("sign-in");
    await signIn(page, "admin");
    await page.getByRole("button", { name: "New token" }).click();
    await check("account");
    await page.getByLabel("Name", { exact: true }).fill(`A token with a long name ${"x".repeat(70)}`);
    await page.getByRole("button", { name: "Create token" }).click();
    await page.getByLabel(/Copy the token now/).waitFor();
    await check("token");
    await page.getByRole("button", { name: /^Revoke/ }).first().click();
    await page.getByRole("alertdialog").waitFor();
    await check("question");
    for (const path of ["/admin", "/admin/audit"]) {
      await page.goto(`${base}${path}`);
      await page.locator("li").first().waitFor();
      await check(path.slice(1).replace("/", "-"));
    }
    assert.deepEqual(complaints, []);
    await context.close();
  }
}
