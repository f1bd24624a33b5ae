// What a browser test stands on: a server of its own with demo data, and Chromium.
// Chromium is the one on the PATH, or CHROMIUM. SCREENSHOTS names a folder for pictures.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");
const PATIENCE = 60_000;
const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export const USER = { username: "alice", password: "Taskriver-1" };

/** Has `use(browser, base)` look at a server, and ends both whatever happens. */
export async function onStage(use) {
  const folder = mkdtempSync(join(tmpdir(), "taskriver-browser-"));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const server = spawn(join(ROOT, ".venv/bin/taskriver"), ["dev"], {
    cwd: folder,
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "", browser;
  server.stderr.on("data", (part) => (said += part));
  try {
    await answers(`${base}/readyz`, server);
    browser = await chromium.launch({ executablePath: chromiumPath(), args: QUIET });
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

/** A page, and what it must not do: complain on the console, or ask other hosts for anything. */
export async function watchedPage(browser, base, options) {
  const page = await browser.newPage(options);
  const complaints = [], foreign = [];
  const isOurs = (url) => url.startsWith(base) || url.startsWith("data:") || url.startsWith("blob:");
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => isOurs(request.url()) || foreign.push(request.url()));
  return { page, complaints, foreign };
}

export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

function chromiumPath() {
  const found = process.env.CHROMIUM ?? spawnSync("which", ["chromium"]).stdout.toString().trim();
  if (!found) throw new Error("Install Chromium first (apt-get install chromium), or say where it is: CHROMIUM=…");
  return found;
}

async function answers(url, server) {
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    if (server.exitCode !== null) throw new Error(`taskriver dev ended with ${server.exitCode}.`);
    if (await fetch(url).then((response) => response.ok, () => false)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`${url} did not answer within ${PATIENCE / 1000} s.`);
}

async function ended(server) {
  if (server.exitCode !== null) return;
  const exit = new Promise((done) => server.once("exit", done));
  server.kill("SIGTERM");
  await exit;
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
