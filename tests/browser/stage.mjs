// What a browser test stands on: a server of its own with demo data, and Chromium.
// CHROMIUM says where that is, as `tools/browser` does. SCREENSHOTS names a folder for pictures.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

export const ROOT = resolve(import.meta.dirname, "../..");
const PATIENCE = 60_000;
export const CHROMIUM = process.env.CHROMIUM ?? spawnSync(join(ROOT, "tools/browser")).stdout.toString().trim();
export const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken } }";

export const USER = { username: "alice", password: "Taskriver-1" };

/** Calls `use(browser, base)` with a server that has these settings, and always ends both. */
export async function onStage(use, settings = {}, { args = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "taskriver-browser-"));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const server = spawn(join(ROOT, ".venv/bin/taskriver"), ["dev"], {
    cwd: folder,
    env: { ...process.env, ...settings, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "", browser;
  server.stderr.on("data", (part) => (said += part));
  try {
    await answers(`${base}/readyz`, server);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...QUIET, ...args] });
    await use(browser, base);
  } catch (error) {
    console.error(`The server said:\n${said.slice(-4000)}`);
    throw error;
  } finally {
    await browser?.close();
    await ended(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A page, with its console errors and its requests to other hosts. */
export async function watchedPage(browser, base, options) {
  const page = await browser.newPage(options);
  return { page, ...watched(page, base) };
}

/** The same for an existing page, in another context with another signed-in user. */
export function watched(page, base) {
  const complaints = [], foreign = [];
  const own = [`${base}/`, `${base.replace("http", "ws")}/`, "data:", "blob:"];
  const isOurs = (url) => own.some((start) => url.startsWith(start));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => isOurs(request.url()) || foreign.push(request.url()));
  page.on("websocket", (socket) => isOurs(socket.url()) || foreign.push(socket.url()));
  return { complaints, foreign };
}

/** Waits until `look()` returns a true value, and returns it; *what* describes it in the error. */
export async function until(look, what, patience = 30_000) {
  const end = Date.now() + patience;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`It did not come true within ${patience / 1000} s that ${what}.`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A signed-in client without a browser: sends one operation, and returns its data. */
export async function client(base, username) {
  const { login } = await ask(base, LOGIN, { input: { username, password: USER.password } });
  return (query, variables) => ask(base, query, variables, login.accessToken);
}

async function ask(base, query, variables, token) {
  const response = await fetch(`${base}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

/** The name of a scenario's function, as words. */
export function inWords(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

export async function answers(url, server) {
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    if (server.exitCode !== null) throw new Error(`What should answer at ${url} ended with ${server.exitCode}.`);
    if (await fetch(url).then((response) => response.ok, () => false)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`${url} did not answer within ${PATIENCE / 1000} s.`);
}

export async function ended(server, kill = (signal) => server.kill(signal)) {
  if (server.exitCode !== null) return;
  const exit = new Promise((done) => server.once("exit", done));
  kill("SIGTERM");
  await exit;
}

export function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
