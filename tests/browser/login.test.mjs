// `taskriver login` through a real browser: the command, the page that asks, and what other sites can do with it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { complains } from "./axe.mjs";
import { inWords, onStage, picture, ROOT, until, USER, watched } from "./stage.mjs";

const SETTINGS = { BCRYPT_ROUNDS: "4", TRUSTED_DOCUMENTS: "require" };

test("Signing in on the command line.", () => onStage(async (browser, base) => {
  for (const scenario of [signsIn, canBeRefused, resistsOtherSites, looksGoodEverywhere])
    await test(inWords(scenario.name), () => scenario(browser, base));
}, SETTINGS));

/** Runs the command; `use` gets its link, and what it has said so far. Answers the exit code, the output and the stored sessions. */
async function login(base, use) {
  const folder = mkdtempSync(join(tmpdir(), "taskriver-login-"));
  const command = spawn(join(ROOT, ".venv/bin/taskriver"), ["login", base, "--no-open"], {
    env: { ...process.env, XDG_CONFIG_HOME: folder, TASKRIVER_TOKEN: "", TASKRIVER_TOKENS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "", said = "";
  command.stdout.on("data", (part) => (out += part));
  command.stderr.on("data", (part) => (said += part));
  const ended = new Promise((end) => command.on("exit", end));
  try {
    await use(await until(() => said.match(/^http\S+$/m)?.[0], "the command prints its link"), said);
    const code = await ended;
    const stored = code === 0 ? JSON.parse(readFileSync(join(folder, "taskriver/tokens.json"), "utf8")).sessions : [];
    return { code, out, said, stored };
  } finally {
    command.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function signIn(page) {
  await page.getByLabel("Username").fill(USER.username);
  await page.getByLabel("Password").fill(USER.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sign in on the command line?" }).waitFor();
}

/** The button, once it may be pressed. */
async function confirmation(page) {
  const button = page.getByRole("main").getByRole("button", { name: "Sign in", exact: true });
  await until(async () => (await button.getAttribute("aria-disabled")) !== "true", "the button can be used");
  return button;
}

/** A signed-out user signs in, sees the code of the terminal, and confirms with the keyboard. */
async function signsIn(browser, base) {
  const page = await (await browser.newContext()).newPage();
  const { complaints, foreign } = watched(page, base);
  const { code, out, stored } = await login(base, async (link, said) => {
    await page.goto(link);
    await signIn(page);
    assert.ok(said.includes(await page.locator("dd code").innerText()));
    await page.getByText("taskriver on ").waitFor();
    await (await confirmation(page)).focus();
    await page.keyboard.press("Enter");
    await page.getByText("You are signed in on the command line.").waitFor();
    assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/callback\?code=/);
  });
  assert.deepEqual([code, out, stored[0].username], [0, `You are signed in as alice at ${base}/graphql.\n`, "alice"]);
  assert.deepEqual([complaints, foreign.filter((url) => !url.startsWith("http://127.0.0.1:"))], [[], []]);
  await page.goto(`${base}/account`);
  await page.getByText(/^taskriver on /).first().waitFor();
  await page.context().close();
}

/** Cancel ends the command with an error. */
async function canBeRefused(browser, base) {
  const page = await (await browser.newContext()).newPage();
  const { code, said } = await login(base, async (link) => {
    await page.goto(link);
    await signIn(page);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("is cancelled").waitFor();
  });
  assert.equal(code, 1);
  assert.match(said, /You did not confirm the sign-in in the browser/);
  await page.context().close();
}

/** Another site cannot frame the page, submit it, lead the code elsewhere, or have a click on its own page counted. */
async function resistsOtherSites(browser, base) {
  const challenge = "x".repeat(43), state = "s".repeat(43);
  const link = (values) => `${base}/account/cli?${new URLSearchParams({ port: "9", challenge, state, client: "evil", ...values })}`;
  const site = createServer((_, response) => response
    .setHeader("content-type", "text/html")
    .end(`<iframe src="${link({})}"></iframe><form method="post" action="${link({})}"><button>Post</button></form>`));
  await new Promise((listening) => site.listen(0, "127.0.0.1", listening));
  const page = await (await browser.newContext()).newPage();
  try {
    await page.goto(`${base}/account`);
    await page.getByLabel("Username").fill(USER.username);
    await page.getByLabel("Password").fill(USER.password);
    await page.keyboard.press("Enter");
    await page.getByText("alice@example.org").waitFor();

    const codes = [];
    page.on("request", (request) => /CreateSignInCode/.test(request.postData() ?? "") && codes.push(request.url()));
    await page.goto(`http://localhost:${site.address().port}/`);
    const frame = await (await page.locator("iframe").elementHandle()).contentFrame();
    assert.equal(await frame.locator("#root").count(), 0, "the page is not in the frame");
    const posted = page.waitForResponse((response) => response.request().method() === "POST");
    await page.getByRole("button", { name: "Post" }).click();
    assert.equal((await posted).status(), 405);

    for (const values of [{ port: "9@evil.example" }, { port: "0" }, { port: "80/../x" }, { port: "" }, { challenge: "plain" }, { state: "" }, { client: "" }]) {
      await page.goto(link(values));
      await page.getByRole("heading", { name: "This link is not complete" }).waitFor();
      assert.equal(await page.getByRole("main").getByRole("button").count(), 0);
    }
    await page.goto(link({ host: "evil.example", redirect_uri: "https://evil.example/" }));
    await page.getByText("127.0.0.1:9", { exact: true }).waitFor();
    // A click that was meant for the page before this one.
    await page.getByRole("main").getByRole("button", { name: "Sign in", exact: true }).click({ force: true, noWaitAfter: true });
    assert.deepEqual(codes, [], "nothing is sent before the user confirms");
    const left = page.waitForRequest((request) => request.isNavigationRequest());
    await (await confirmation(page)).click();
    assert.match((await left).url(), new RegExp(`^http://127\\.0\\.0\\.1:9/callback\\?code=[\\w-]+&state=${state}$`));
    assert.equal(codes.length, 1);
  } finally {
    site.close();
    await page.context().close();
  }
}

/** On a phone and with 200 % zoom in the dark nothing is too wide, and axe finds nothing. */
async function looksGoodEverywhere(browser, base) {
  const looks = { phone: { viewport: { width: 390, height: 844 } }, zoomed: { viewport: { width: 640, height: 400 }, colorScheme: "dark" } };
  for (const [look, options] of Object.entries(looks)) {
    const page = await (await browser.newContext(options)).newPage();
    const client = `taskriver on ${"long-name-".repeat(8)}`;
    await page.goto(`${base}/account/cli?${new URLSearchParams({ port: "50123", challenge: "x".repeat(43), state: "s".repeat(43), client })}`);
    await signIn(page);
    await confirmation(page);
    await picture(page, `login-${look}`);
    await complains(page, look);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), look);
    await page.context().close();
  }
}
