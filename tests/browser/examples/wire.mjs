// A wire between a page and the server, which can be cut, and whose connections can die without a sign.
import { connect, createServer } from "node:net";

/** Listens on a port of its own, and carries to *target*, a port of this machine. */
export async function wireTo(target) {
  const open = new Set();
  let whole = true, connections = 0;
  const server = createServer((here) => {
    connections++;
    const there = connect(target, "127.0.0.1");
    for (const [one, other] of [[here, there], [there, here]]) {
      open.add(one);
      one.on("error", () => {}).on("close", () => (open.delete(one), other.destroy()));
      one.pipe(other);
    }
    if (!whole) here.destroy();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const cut = () => {
    whole = false;
    for (const socket of open) socket.destroy();
  };
  /** From now on the open connections carry nothing, and stay open. New ones are whole. */
  const silence = () => {
    for (const socket of open) socket.unpipe();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`, cut, silence, mend: () => (whole = true), end: () => (cut(), server.close()),
    get connections() {
      return connections;
    },
  };
}
