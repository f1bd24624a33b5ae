// Random histories: tasks change, vanish and return, connections break, answers come late, lists are read meanwhile.
import { expect, test } from "vitest";

import { EMPTY, fold, learn, merge, reset, type Board, type Task } from "../src/board/fold";
import { differences, mend } from "../src/board/lists";
import { placeOf } from "../src/stream/position";
import { dice } from "./builders";
import { Server } from "./server";

const HISTORIES = 400;
const STEPS = 80;

class Client {
  board: Board = EMPTY;
  /** The last delivered position of this connection. */
  delivered = 0;
  late: { task: Task; asked: Board }[] = [];

  constructor(readonly server: Server, readonly roll: (sides: number) => number) {
    const lists = server.read(() => server.act());
    this.board = merge(this.board, lists.tasks, placeOf(lists.cursor));
    this.delivered = this.board.place!.position;
  }

  step(): void {
    const kind = this.roll(20);
    if (kind < 9) this.server.act();
    else if (kind < 11) this.write();
    else if (kind < 13) this.answer();
    else if (kind < 16) this.receive(this.roll(4));
    else if (kind < 18) this.comeBack();
    else if (kind === 18) this.resync();
    else this.roll(2) ? this.compare() : this.find();
  }

  write(): void {
    const task = this.server.write([...this.board.tasks.keys()]);
    if (task) this.late.push({ task, asked: this.board });
  }

  /** An answer arrives, however long ago its change was made. */
  answer(): void {
    const [answer] = this.late.splice(this.roll(this.late.length || 1), 1);
    if (answer) this.board = learn(this.board, answer.task, answer.asked);
  }

  receive(most: number): void {
    const items = [];
    while (this.delivered < this.server.position && items.length < most) {
      const item = this.server.itemAt(++this.delivered);
      if (item) items.push(item);
    }
    this.board = fold(this.board, items);
  }

  /** A ping that was overtaken leads some steps back. */
  comeBack(): void {
    this.delivered = Math.max(0, this.delivered - this.roll(5));
  }

  resync(): void {
    const lists = this.server.read(() => this.server.act());
    this.board = reset(this.board, lists.tasks, lists.cursor);
    this.delivered = this.board.place!.position;
  }

  /** What a comparison finds in the midst of things is mended; it must do no harm. */
  compare(): void {
    const lists = this.server.read(() => {});
    this.board = mend(this.board, lists, differences(this.board, lists));
  }

  /** What a search has found is merged, however much has happened since it was answered. */
  find(): void {
    const { tasks } = this.server.read(() => {});
    this.server.act();
    this.receive(this.roll(4));
    this.board = merge(this.board, tasks);
  }

  end(): void {
    while (this.late.length) this.answer();
    this.receive(Infinity);
  }
}

test("After any history the board equals a fresh fetch.", () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const roll = dice(seed);
    const server = new Server(roll);
    for (let made = 0; made < 6; made++) server.act();
    const client = new Client(server, roll);
    for (let step = 0; step < STEPS; step++) client.step();
    client.end();
    const fresh = new Map(server.visible().map((task) => [task.id, task]));
    expect(new Map([...client.board.tasks].sort()), `history ${seed}`).toEqual(new Map([...fresh].sort()));
  }
});
