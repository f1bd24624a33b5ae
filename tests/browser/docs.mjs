// Uses /docs as a person does: signs in with "Authorize", changes a task with "Try it out".
// Starts a server of its own; needs chromium on the PATH, or CHROMIUM. SCREENSHOTS names a folder for pictures.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");
const USER = { username: "alice", password: "Taskriver-1" };
const PATIENCE = 60_000;

const folder = mkdtempSync(join(tmpdir(), "taskriver-browser-"));
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const server = spawn(join(ROOT, ".venv/bin/taskriver"), ["dev"], {
  cwd: folder,
  env: { ...process.env, PORT: String(port) },
  stdio: "ignore",
});
let browser;
try {
  await answers(`${base}/readyz`);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? spawnSync("which", ["chromium"]).stdout.toString().trim(),
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  await useDocs(await browser.newPage({ viewport: { width: 1280, height: 1600 } }));
  console.log("/docs: signed in, changed a task, asked nothing of other hosts, broke no policy.");
} finally {
  await browser?.close();
  const ended = new Promise((done) => server.once("exit", done));
  server.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

async function useDocs(page) {
  const complaints = [], foreign = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => isOurs(request.url()) || foreign.push(request.url()));
  const task = await newTask();

  await page.goto(`${base}/docs`);
  await page.getByText("Taskriver REST").first().waitFor();
  assert.equal(await page.locator(".opblock").count(), 14);
  await picture(page, "1-docs");

  await page.locator(".auth-wrapper .authorize").first().click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator("#oauth_username").fill(USER.username);
  await dialog.locator("#oauth_password").fill(USER.password);
  await picture(page, "2-authorize");
  await dialog.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  await dialog.getByRole("button", { name: /Logout|Remove authorization/ }).waitFor();
  await dialog.getByRole("button", { name: "Close" }).first().click();

  const update = page.locator("#operations-tasks-update_task");
  await update.locator(".opblock-summary-control").click();
  await update.getByRole("button", { name: /Try it out/ }).click();
  await update.locator("tr[data-param-name=task_id] input").fill(task.uuid);
  await update.locator("tr[data-param-name=If-Match] input").fill('"1"');
  await update.locator("textarea").fill('{"title": "Changed from the docs", "completed": true}');
  await update.getByRole("button", { name: "Execute" }).click();
  const answer = update.locator(".live-responses-table tbody .response-col_status").first();
  await answer.waitFor();
  await picture(page, "3-changed");
  assert.match(await answer.innerText(), /^200/);
  const shown = await update.locator(".live-responses-table").innerText();
  assert.match(shown, /"title": "Changed from the docs"/);
  assert.match(shown, /"completed": true/);
  assert.match(shown, /etag: "2"/i);

  assert.deepEqual(complaints, []);
  assert.deepEqual(foreign, []);
}

async function newTask() {
  const signedIn = await fetch(`${base}/api/v1/auth/login/`, { method: "POST", body: new URLSearchParams(USER) });
  const { access_token: token } = await signedIn.json();
  const created = await fetch(`${base}/api/v1/tasks/`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ title: "To be changed" }),
  });
  assert.equal(created.status, 201);
  return created.json();
}

async function picture(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
}

function isOurs(url) {
  return url.startsWith(base) || url.startsWith("data:") || url.startsWith("blob:");
}

async function answers(url) {
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    if (await fetch(url).then((response) => response.ok, () => false)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`${url} did not answer within ${PATIENCE / 1000} s.`);
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
