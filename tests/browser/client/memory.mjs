// A page that is open for a week: what it keeps does not depend on how many events it has received. EVENTS=… is their number.
import assert from "node:assert/strict";
import { until } from "../stage.mjs";
import { packageOf } from "./project.mjs";
import { barePage, inUsualBrowser } from "./usual_browser.mjs";

const EVENTS = Number(process.env.EVENTS ?? 200_000);
const QUARTER = EVENTS / 4;
const TASKS = 25_000;
/** As many as the server sends before it waits for the page. */
const BATCH = 500;
/** The connection is closed after so many events. */
const CONNECTION = 10_000;
const MEGABYTE = 1_000_000;
/** Milliseconds for a quarter of the events. */
const PATIENCE = 120_000;

/** Moves, hides and deletes tasks. */
function event(number) {
  const id = `task-${number % TASKS}`;
  const item = { cursor: `${number}`, taskId: id, task: null };
  if (number % 10 === 0) return { ...item, __typename: "TaskDeleted", taskId: `deleted-${number}` };
  if (number % 10 === 1) return { ...item, __typename: "TaskGone", taskId: `gone-${number}` };
  return { ...item, __typename: "TaskStatusChanged", task: { __typename: "Task", id, title: `Title ${number}`, status: "TODO", version: number } };
}

/** A server of `graphql-transport-ws` that sends events up to a number, each page from where it is. */
class SocketServer {
  #limit = 0;
  #wake = () => {};

  static async start({ WebSocketServer }) {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "graphql-transport-ws" });
    await new Promise((resolve) => server.once("listening", resolve));
    return new SocketServer(server);
  }

  constructor(server) {
    this.server = server;
    this.server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.on("message", (data) => {
        const { type, id, payload } = JSON.parse(data);
        if (type === "connection_init") socket.send(JSON.stringify({ type: "connection_ack" }));
        if (type === "subscribe") void this.#serve(socket, id, Number(payload.variables.after));
      });
    });
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}/graphql`;
  }

  sendTo(number) {
    this.#limit = number;
    this.#wake();
  }

  end() {
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
  }

  async #serve(socket, id, after) {
    for (let number = after + 1; socket.readyState === socket.OPEN; number++) {
      while (number > this.#limit) await new Promise((resolve) => (this.#wake = resolve));
      const sent = new Promise((resolve) => socket.send(JSON.stringify({ type: "next", id, payload: { data: { taskChanged: event(number) } } }), resolve));
      if (number % BATCH === 0) await sent;
      if (number % CONNECTION === 0) return socket.close(1012);
    }
  }
}

/** Bytes of the heap, and the numbers of DOM nodes and listeners, without garbage. */
async function memoryOf(send) {
  await send("HeapProfiler.collectGarbage");
  const { metrics } = await send("Performance.getMetrics");
  const { JSHeapUsedSize, Nodes, JSEventListeners } = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  return { heap: JSHeapUsedSize, nodes: Nodes, listeners: JSEventListeners };
}

/** From the second quarter on, when everything that is bounded is full, the memory of the page is flat. */
export async function keepsItsMemory({ url, project }) {
  const sockets = packageOf(project, "ws");
  const server = await SocketServer.start(sockets);
  try {
    return await inUsualBrowser(async (endpoint) => {
      const send = await barePage(endpoint, `${url}built/memory.html?${server.url}`, sockets);
      await send("Performance.enable");
      return checked(await measured(server, send));
    });
  } finally {
    server.end();
  }
}

async function measured(server, send) {
  const valueOf = async (expression) => (await send("Runtime.evaluate", { expression })).result.value;
  const found = [];
  for (let number = QUARTER; number <= EVENTS; number += QUARTER) {
    server.sendTo(number);
    await until(async () => (await valueOf("window.seen?.received")) === number, `${number} events have arrived`, PATIENCE);
    found.push({ number, ...(await memoryOf(send)) });
  }
  assert.equal(await valueOf("window.cache.size"), 10_000);
  return found;
}

function checked(found) {
  const said = found.map(({ number, heap, nodes, listeners }) =>
    `${number} events: ${(heap / MEGABYTE).toFixed(2)} MB, ${nodes} nodes, ${listeners} listeners`).join("; ");
  const [, full, ...later] = found;
  for (const { heap, nodes, listeners } of later) {
    assert.ok(heap - full.heap < MEGABYTE, said);
    assert.ok(nodes - full.nodes < 10 && listeners - full.listeners < 10, said);
  }
  return said;
}
