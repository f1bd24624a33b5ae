import { afterEach, expect, test, vi } from "vitest";

import { EVERYTHING } from "../src/board/columns";
import { Navigation } from "../src/board/navigation";

/** A browser's history, as far as the page sees it. Going through it takes a while. */
class FakeHistory {
  entries: { state: unknown; url: string }[];
  at = 0;
  listener: (event: { state: unknown }) => void = () => {};

  constructor(url: string) {
    this.entries = [{ state: null, url }];
  }

  get state() {
    return this.entries[this.at]!.state;
  }

  get search() {
    return new URL(this.entries[this.at]!.url, "http://x").search;
  }

  pushState(state: unknown, _: string, url: string) {
    this.entries = [...this.entries.slice(0, ++this.at), { state, url }];
  }

  replaceState(state: unknown, _: string, url = this.entries[this.at]!.url) {
    this.entries[this.at] = { state, url };
  }

  go(steps: number) {
    setTimeout(() => {
      this.at += steps;
      this.listener({ state: this.state });
    });
  }
}

function browser(url = "/board") {
  const history = new FakeHistory(url);
  vi.stubGlobal("history", history);
  vi.stubGlobal("location", { pathname: "/board", hash: "", get search() { return history.search; } });
  vi.stubGlobal("addEventListener", (_: string, listener: FakeHistory["listener"]) => (history.listener = listener));
  const urls = () => history.entries.map((entry) => entry.url);
  return { history, urls, navigation: new Navigation() };
}

const settle = () => vi.runAllTimersAsync();
const open = (task: string) => (view: Navigation["view"]) => ({ ...view, task });

vi.useFakeTimers();
afterEach(() => vi.unstubAllGlobals());

test("Two changes of the filters before the next drawing count both.", () => {
  const { navigation, history } = browser("/board?priority=high");
  navigation.replace((view) => ({ ...view, wanted: EVERYTHING }));
  navigation.replace((view) => ({ ...view, wanted: { ...view.wanted, whose: "ASSIGNED" } }));
  expect(navigation.view.wanted).toEqual({ ...EVERYTHING, whose: "ASSIGNED" });
  expect(history.search).toBe("?whose=assigned");
});

test("Opening is a step of the history, and closing goes back to where it was opened.", async () => {
  const { navigation, urls, history } = browser();
  navigation.push(open("t1"));
  expect(urls()).toEqual(["/board", "/board?task=t1"]);
  navigation.close();
  expect(navigation.view.task).toBeNull();
  await settle();
  expect([history.at, history.search]).toEqual([0, ""]);
});

test("A task of a shared link is closed in its place: there is nothing of ours to go back to.", async () => {
  const { navigation, urls } = browser("/board?task=t1&search=x");
  navigation.close();
  await settle();
  expect(urls()).toEqual(["/board?search=x"]);
});

test("What is opened while the browser is still going back is opened after that.", async () => {
  const { navigation, urls, history } = browser();
  navigation.push(open("t1"));
  navigation.close();
  navigation.push(open("t2"));
  await settle();
  expect(navigation.view.task).toBe("t2");
  expect([urls(), history.at]).toEqual([["/board", "/board?task=t2"], 1]);
});

test("Back and Forward show what was there.", async () => {
  const { navigation, history } = browser();
  navigation.push(open("t1"));
  history.go(-1);
  await settle();
  expect(navigation.view.task).toBeNull();
  history.go(1);
  await settle();
  expect(navigation.view.task).toBe("t1");
});

test.each([[true, null, 0], [false, "t1", 1]])("Back asks the guard, which says %s.", async (answer, task, at) => {
  const { navigation, history } = browser();
  navigation.push(open("t1"));
  let decide = (_: boolean) => {};
  navigation.guard = () => new Promise((resolve) => (decide = resolve));
  history.go(-1);
  await settle();
  expect([navigation.view.task, history.at, history.search]).toEqual(["t1", 1, "?task=t1"]);
  decide(answer);
  await settle();
  expect([navigation.view.task, history.at]).toEqual([task, at]);
});

test("A project with another key keeps its board: the address has the new key, also where Back leads to.", async () => {
  const { navigation, history, urls } = browser("/board?project=WEB");
  navigation.push(open("t1"));
  navigation.rename("WEB", "SHOP");
  expect([navigation.board, navigation.view.project, navigation.view.task]).toEqual([0, "SHOP", "t1"]);
  history.go(-1);
  await settle();
  expect([navigation.board, navigation.view.project, navigation.view.task]).toEqual([0, "SHOP", null]);
  expect(urls()[0]).toBe("/board?project=SHOP");
  navigation.rename("SHOP", "WEB");
  navigation.rename("WEB", "STORE");
  expect([navigation.board, navigation.view.project]).toEqual([0, "STORE"]);
});

test("A board that the viewer has left is renamed without a change of what is shown.", () => {
  const { navigation } = browser("/board?project=WEB");
  navigation.switchTo("APP");
  navigation.rename("WEB", "SHOP");
  expect([navigation.board, navigation.view.project]).toEqual([1, "APP"]);
});

test("Switching leads to another board, which takes the focus; a deleted project leaves no entry.", () => {
  const { navigation, urls } = browser("/board?project=WEB");
  navigation.switchTo(null, { said: "Deleted.", replacing: true });
  expect([navigation.board, navigation.arrival, urls()]).toEqual([1, { said: "Deleted." }, ["/board"]]);
});
