// A server of graphql-transport-ws on a loopback port, whose every step a test decides.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

import type { WebSocketClass } from "../src/connection.js";
import { until } from "./until.js";

export const webSocket = WebSocket as unknown as WebSocketClass;

interface Message {
  readonly type: string;
  readonly id: string;
  readonly payload?: { readonly authorization?: string; readonly variables?: Record<string, unknown>; readonly query?: string };
}

/** One connection of a client. */
export class Peer {
  readonly received: Message[] = [];
  isClosed = false;

  constructor(readonly socket: WebSocket, acknowledges: boolean) {
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as Message;
      this.received.push(message);
      if (message.type === "connection_init" && acknowledges) this.send({ type: "connection_ack" });
    });
    socket.on("close", () => (this.isClosed = true));
    socket.on("error", () => {});
  }

  get token(): string | undefined {
    return this.received.find(({ type }) => type === "connection_init")?.payload?.authorization?.replace("Bearer ", "");
  }

  of(type: string): Message[] {
    return this.received.filter((message) => message.type === type);
  }

  /** The last operation that the client has started. */
  async operation(number = 1): Promise<Message> {
    await until(() => this.of("subscribe").length >= number, `operation ${number}`);
    return this.of("subscribe")[number - 1]!;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  item(id: string, item: object, rest: object = {}): void {
    this.send({ type: "next", id, payload: { data: { taskChanged: item }, ...rest } });
  }

  close(code: number, reason = ""): void {
    this.socket.close(code, reason);
  }
}

export class SocketServer {
  readonly peers: Peer[] = [];
  acknowledges = true;
  /** What happens with each new connection. */
  onPeer: (peer: Peer) => void = () => {};
  readonly #server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "graphql-transport-ws" });

  static async start(): Promise<SocketServer> {
    const server = new SocketServer();
    await new Promise((resolve) => server.#server.once("listening", resolve));
    return server;
  }

  private constructor() {
    this.#server.on("connection", (socket) => {
      const peer = new Peer(socket, this.acknowledges);
      this.peers.push(peer);
      this.onPeer(peer);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/graphql`;
  }

  /** The connection of this number, when it is there. */
  async peer(number: number): Promise<Peer> {
    await until(() => this.peers.length >= number, `connection ${number}`);
    return this.peers[number - 1]!;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.peers) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An address where handshakes are accepted by TCP and never answered. */
export async function silentServer(): Promise<{ url: string; connections: () => number; stop: () => void }> {
  let connections = 0;
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => (connections++, sockets.add(socket), socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => (server.close(), sockets.forEach((socket) => socket.destroy()));
  return { url: `http://127.0.0.1:${port}/graphql`, connections: () => connections, stop };
}
