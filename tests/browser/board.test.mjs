// Uses /board as people do: with mouse, keyboard and thumb, in one window and in two, on good lines and on bad ones.
// ONLY=word,word runs the scenarios whose names contain one of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as announcing from "./board/announcing.mjs";
import * as changing from "./board/changing.mjs";
import * as manyTasks from "./board/many_tasks.mjs";
import * as editing from "./board/editing.mjs";
import * as failing from "./board/failing.mjs";
import * as finding from "./board/finding.mjs";
import * as focusing from "./board/focusing.mjs";
import * as keepingFocus from "./board/keeping_focus.mjs";
import * as labelling from "./board/labelling.mjs";
import * as managing from "./board/managing.mjs";
import * as moving from "./board/moving.mjs";
import * as navigating from "./board/navigating.mjs";
import * as ordering from "./board/ordering.mjs";
import * as projects from "./board/projects.mjs";
import * as signingIn from "./board/signing_in.mjs";
import * as streaming from "./board/streaming.mjs";
import * as teamwork from "./board/teamwork.mjs";
import * as touching from "./board/touching.mjs";
import { inWords, onStage, picture, watchedPage } from "./stage.mjs";

const ONLY = (process.env.ONLY ?? "").toLowerCase().split(",");
/** Each half has a server and a browser of its own, and both run at once. What measures the page is at the end. */
const HALVES = [
  { ...signingIn, ...changing, ...editing, ...moving, ...navigating, ...focusing, ...keepingFocus, ...touching, ...streaming, ...failing, ...labelling },
  { ...announcing, ...finding, ...projects, ...ordering, ...teamwork, ...managing, ...manyTasks },
];

/** Console messages of the browser for intended refusals. */
const WANTED = /Failed to load resource/;
const PATIENCE = 20_000;
/** A name that is not localhost: over HTTP its pages have no secure context. */
const PLAIN_HOST = "board.example";

/** A long press drags what is draggable, as on Android. */
const TOUCH_DRAGS = "--enable-touch-drag-drop";

/** Many users sign in here, so their password hashes are cheap. */
const SETTINGS = { BCRYPT_ROUNDS: "4" };

test("/board", { concurrency: HALVES.length }, async (board) => {
  await Promise.all(HALVES.map(chosen).filter((half) => half.length > 0).map((half) => onStage(async (browser, base) => {
    for (const [name, scenario] of half) {
      await board.test(inWords(name), async (here) => {
        const said = await run(browser, base, name, scenario);
        if (said) here.diagnostic(said);
      });
    }
  }, SETTINGS, { args: [`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`, TOUCH_DRAGS] })));
});

function chosen(scenarios) {
  return Object.entries(scenarios).filter(([name]) => ONLY.some((word) => name.toLowerCase().includes(word)));
}

/** Every scenario has its own windows, without console errors and without requests to other hosts. */
async function run(browser, base, name, scenario) {
  const pages = [];
  const page = async ({ base: own = base, ...options } = {}) => {
    const watched = await watchedPage(browser, own, options);
    watched.page.setDefaultTimeout(PATIENCE);
    pages.push(watched);
    return watched.page;
  };
  try {
    const said = await scenario({ base, page, plainBase: base.replace("127.0.0.1", PLAIN_HOST) });
    for (const { complaints, foreign } of pages) {
      assert.deepEqual(complaints.filter((text) => !WANTED.test(text)), []);
      assert.deepEqual(foreign, []);
    }
    return said;
  } catch (error) {
    for (const [at, { page: failed }] of pages.entries()) await picture(failed, `board-failed-${name}-${at}`).catch(() => {});
    throw error;
  } finally {
    for (const { page: used } of pages) await used.close();
  }
}
