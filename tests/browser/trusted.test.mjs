// A server that requires trusted documents serves the board, and says why there is no GraphiQL.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onStage, watchedPage } from "./stage.mjs";

const SETTINGS = { BCRYPT_ROUNDS: "4", TRUSTED_DOCUMENTS: "require" };
const OTHER = { method: "POST", headers: { "content-type": "application/json" }, body: '{"query":"{ __typename }"}' };

test("The board works with a server that requires trusted documents.", () => onStage(async (browser, base) => {
  const refused = await (await fetch(`${base}/graphql`, OTHER)).json();
  assert.equal(refused.errors[0].extensions.code, "UNTRUSTED_DOCUMENT");

  const { page, complaints, foreign } = await watchedPage(browser, base);
  const responses = [];
  page.on("response", async (response) => {
    if (response.url() === `${base}/graphql`) responses.push(await response.text().catch(() => ""));
  });
  const frames = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(payload)));
  await page.goto(`${base}/board`);
  await page.getByRole("button", { name: "moderator" }).click();
  await page.locator(".card").first().waitFor();
  await page.locator(".card").first().click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("Live", { exact: true }).first().waitFor();

  assert.ok(responses.length >= 3, `${responses.length} responses`);
  assert.ok(frames.some((frame) => frame.includes("connection_ack")));
  assert.deepEqual([...responses, ...frames].filter((text) => /UNTRUSTED_DOCUMENT|DOCUMENT_NOT_FOUND/.test(text)), []);
  assert.deepEqual(complaints, []);

  await page.goto(`${base}/graphql`);
  await page.getByText("executes only trusted documents").waitFor();
  assert.deepEqual(foreign, []);
}, SETTINGS));
