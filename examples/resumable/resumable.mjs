// Subscriptions that survive whatever happens to their sockets: copy this file beside your own. Needs graphql-ws 6.
import { createClient } from 'graphql-ws';

/** How many cursors a subscription remembers, so that nothing is handed to the application twice. */
const REMEMBERED = 2_000;

/**
 * @typedef {object} Resync What came before is lost to this subscription; the stream itself goes on.
 * @property {string} cursor where it goes on, unless `onResync` returns another one
 * @property {string} [reason] TRIMMED, FUTURE, EPOCH or ACCESS
 * @typedef {object} Extras
 * @property {(refresh: boolean) => string | Promise<string>} accessToken an access token; *refresh*: a new one, the
 *   last was not accepted any more. Whatever it throws is tried again, unless the error has `fatal: true`.
 * @property {(resync: Resync, payload: import('graphql-ws').SubscribePayload) => unknown} [onResync] read your lists
 *   again. Return (a promise of) the `streamCursor` that came with them, and the stream goes on from there.
 * @property {number} [silence] milliseconds without a message after which the socket is given up (the server pings
 *   every 12 seconds)
 * @property {number} [longestPause] milliseconds between two attempts to come back, at most
 */

/**
 * A graphql-ws client whose subscriptions have a variable `$after: String` and select `__typename cursor` in their
 * one root field. Each item reaches the application once, in order, across any number of connections.
 * @param {import('graphql-ws').ClientOptions & Extras} options
 */
export function createResumableClient({ accessToken, onResync, silence = 45_000, longestPause = 10_000, ...options }) {
  /** @type {Map<string, Subscription>} */
  const subscriptions = new Map();
  let refresh = false;
  let number = 0;
  let silent, socket;

  const client = createClient({
    retryAttempts: Infinity,
    // Close codes that are fatal (4401 among them) never get here.
    shouldRetry: (problem) => !(/** @type {any} */ (problem)?.fatal),
    retryWait: (retries) => pause(Math.random() * Math.min(longestPause, 500 * 2 ** Math.min(retries, 10))),
    connectionAckWaitTimeout: silence,
    ...options,
    connectionParams: async () => ({ authorization: `Bearer ${await accessToken(refresh)}` }),
    generateID: () => `${++number}`,
  });

  const listen = () => {
    clearTimeout(silent);
    silent = setTimeout(() => client.terminate(), silence);
  };
  client.on('opened', (opened) => (listen(), (socket = opened)));
  client.on('message', listen);
  client.on('connected', () => (refresh = false));
  client.on('closed', (event) => {
    clearTimeout(silent);
    if (socket) socket.onmessage = null; // what is still under way comes again on the next one
    if (/** @type {any} */ (event).code === 4403) refresh = true;
  });
  client.on('ping', (received, payload) => {
    const cursors = /** @type {any} */ (received && payload?.cursors) || {};
    for (const id in cursors) subscriptions.get(id)?.note(cursors[id]);
  });

  /**
   * As `client.subscribe`; returns a function that ends the subscription.
   * @param {import('graphql-ws').SubscribePayload} payload
   * @param {import('graphql-ws').Sink<any>} sink
   */
  const subscribe = (payload, sink) => {
    const own = { ...payload, variables: { after: null, ...payload.variables } };
    const id = `${number + 1}`;
    const stop = () => (subscriptions.delete(id), end());
    const onEnd = (kind) => (value) => (subscriptions.delete(id), sink[kind](value));
    const resynced = async (/** @type {Resync} */ item) => {
      try {
        return await onResync?.(item, payload);
      } catch (error) {
        stop();
        sink.error(error);
      }
    };
    const subscription = new Subscription(own.variables, sink, resynced, () => client.terminate());
    subscriptions.set(id, subscription);
    const next = (result) => subscription.next(result);
    const end = client.subscribe(own, { next, error: onEnd('error'), complete: onEnd('complete') });
    return stop;
  };

  return { ...client, subscribe, iterate: (/** @type {any} */ payload) => iterate(subscribe, payload) };
}

/** Where one subscription stands. `variables` is what the client sends again whenever it comes back. */
class Subscription {
  seen = new Set();
  /** @type {any[] | null} what came while lists are being read again */
  held = null;

  constructor(variables, sink, resynced, comeBack) {
    Object.assign(this, { variables, sink, resynced, comeBack });
  }

  next(result) {
    if (this.held) return void this.held.push(result);
    const item = Object.values(result.data ?? {})[0];
    if (typeof item?.cursor === 'string') {
      if (this.seen.has(item.cursor)) return;
      this.variables.after = this.remember(item.cursor);
      if (item.__typename === 'ResyncRequired') return void this.resync(item);
    }
    this.sink.next(result);
  }

  /** A ping says where the subscription stands; one that a frame has overtaken says nothing new. */
  note(cursor) {
    if (!this.held && !this.seen.has(cursor)) this.variables.after = this.remember(cursor);
  }

  remember(cursor) {
    this.seen.add(cursor);
    if (this.seen.size > REMEMBERED) this.seen.delete(this.seen.values().next().value);
    return cursor;
  }

  async resync(item) {
    const held = (this.held = []);
    const cursor = await this.resynced(item);
    this.held = null;
    if (typeof cursor !== 'string') return held.forEach((result) => this.next(result));
    this.variables.after = cursor;
    this.seen.clear(); // what comes from there is news, whatever was seen
    this.comeBack();
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function* iterate(subscribe, payload) {
  const waiting = [];
  let wake = () => {};
  const put = (kind) => (value) => (waiting.push([kind, value]), wake());
  const end = subscribe(payload, { next: put('next'), error: put('error'), complete: put('complete') });
  try {
    for (;;) {
      while (!waiting.length) await new Promise((resolve) => (wake = resolve));
      const [kind, value] = waiting.shift();
      if (kind === 'error') throw value;
      if (kind === 'complete') return;
      yield value;
    }
  } finally {
    end();
  }
}
