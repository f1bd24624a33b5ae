// Chromium as users have it. Playwright's own browser keeps each page visible and awake, and watches each message of each socket.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM, QUIET, ended } from "../stage.mjs";

/** Calls `use(endpoint)` with the address of the browser's DevTools, and always ends it. */
export async function inUsualBrowser(use) {
  const folder = mkdtempSync(join(tmpdir(), "taskriver-chromium-"));
  const args = [...QUIET, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank"];
  const browser = spawn(CHROMIUM, args, { stdio: ["ignore", "ignore", "pipe"] });
  try {
    return await use(await endpointOf(browser));
  } finally {
    await ended(browser);
    await rm(folder, { recursive: true, force: true, maxRetries: 20 }); // its processes end one after another
  }
}

/** A context of that browser whose pages can be hidden and frozen. */
export async function usualContext(endpoint) {
  const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
  return browser.contexts()[0];
}

/** Opens a page that only DevTools watch; returns a function that sends a command of their protocol to it. */
export async function barePage(endpoint, url, { WebSocket }) {
  const response = await fetch(`http://${new URL(endpoint).host}/json/new?${encodeURIComponent(url)}`, { method: "PUT" });
  const socket = new WebSocket((await response.json()).webSocketDebuggerUrl);
  const waiting = new Map();
  socket.on("message", (data) => {
    const { id, result, error } = JSON.parse(data);
    if (id !== undefined) waiting.get(id)({ ...result, error });
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  let last = 0;
  return async (method, params = {}) => {
    const id = ++last;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { error, ...result } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
}

function endpointOf(browser) {
  let said = "";
  return new Promise((resolve, reject) => {
    browser.stderr.on("data", (part) => {
      said += part;
      const endpoint = /DevTools listening on (\S+)/.exec(said)?.[1];
      if (endpoint) resolve(endpoint);
    });
    browser.once("exit", () => reject(new Error(`Chromium ended:\n${said}`)));
  });
}
