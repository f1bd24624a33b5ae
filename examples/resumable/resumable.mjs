// Subscriptions that resume without a gap: copy this file beside your own. It needs no packages, except `ws` in Node 20.
// Built from clients/typescript by `make client`. Change the sources, not this file.
// src/backoff.ts
/** A longer timer fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Calls *work* after *milliseconds*, or after the longest time that a timer can have. */
function later(milliseconds, work) {
  return setTimeout(work, Math.min(milliseconds, LONGEST_TIMER));
}
/**
* The pause before the next attempt, in milliseconds: it doubles with each failure. Half of it is random, so that clients
* that were disconnected together do not return together. It is at least *retryAfter* seconds, if that is a number.
*/
function backoff(failures, { minDelay, maxDelay }, retryAfter = 0) {
  const longest = Math.min(maxDelay, minDelay * 2 ** Math.min(failures, 20));
  return Math.max(longest / 2, retryAfter * 1e3 || 0) + Math.random() * longest / 2;
}
/** Resolves after *milliseconds*; rejects with the signal's reason when the signal is aborted. */
function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => (clearTimeout(timer), reject(signal.reason));
    if (signal?.aborted) return reject(signal.reason);
    const timer = later(milliseconds, () => (signal?.removeEventListener("abort", abort), resolve()));
    signal?.addEventListener("abort", abort, { once: true });
  });
}

// src/connection.ts
const PROTOCOL = "graphql-transport-ws";
/** The close codes of this side. */
const TIMED_OUT = 4408;
const DROPPED = 4499;
const NORMAL = 1e3;
/**
* One WebSocket of `graphql-transport-ws`, from its handshake to its end. A connection that has ended calls no handler
* from then on, so that late events of its socket cannot reach the next connection.
*/
var Connection = class {
  #silenceTimeout;
  #handlers;
  #socket;
  #isOpen = false;
  #hasEnded = false;
  #timer;
  #lastMessageAt = Date.now();
  constructor(url, token, options, handlers) {
    this.#silenceTimeout = options.silenceTimeout;
    this.#handlers = handlers;
    const { webSocket = globalThis.WebSocket } = options;
    this.#socket = new webSocket(url, PROTOCOL);
    this.#socket.onopen = () => this.#send({
      type: "connection_init",
      payload: { authorization: `Bearer ${token}` }
    });
    this.#socket.onmessage = ({ data }) => this.#receive(String(data));
    this.#socket.onclose = ({ code, reason }) => this.close(code, reason);
    this.#socket.onerror = () => {};
    this.#watch(options.handshakeTimeout);
  }
  get isOpen() {
    return this.#isOpen && !this.#hasEnded;
  }
  subscribe(id, payload) {
    this.#send({
      type: "subscribe",
      id,
      payload
    });
  }
  complete(id) {
    this.#send({
      type: "complete",
      id
    });
  }
  /** Ends the connection if no message arrives within *timeout* milliseconds: after a sleep it can be dead unnoticed. */
  check(timeout) {
    if (!this.isOpen) return;
    if (Date.now() - this.#lastMessageAt > this.#silenceTimeout) return this.#timedOut();
    this.#send({ type: "ping" });
    this.#watch(timeout);
  }
  #receive(data) {
    this.#lastMessageAt = Date.now();
    if (this.#isOpen) this.#watch(this.#silenceTimeout);
    try {
      this.#handle(JSON.parse(data));
    } catch {
      this.close(4400, "Invalid message.");
    }
  }
  #handle({ type, id, payload }) {
    if (type === "connection_ack") this.#acknowledged();
    else if (type === "ping") this.#pinged(payload);
    else this.#handlers.message(type, id, payload);
  }
  #acknowledged() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#watch(this.#silenceTimeout);
    this.#handlers.acknowledged();
  }
  #pinged(payload) {
    this.#send({ type: "pong" });
    if (payload?.cursors) this.#handlers.cursors(payload.cursors);
  }
  /** Ends the connection after a silence of so many milliseconds from now on. */
  #watch(milliseconds) {
    clearTimeout(this.#timer);
    if (!this.#hasEnded) this.#timer = later(milliseconds, () => this.#timedOut());
  }
  #timedOut() {
    this.close(TIMED_OUT, "No message arrived.");
  }
  #send(message) {
    if (this.#hasEnded) return;
    try {
      this.#socket.send(JSON.stringify(message));
    } catch {}
  }
  close(code, reason = "") {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (code === NORMAL || !socket.terminate) socket.close(code === NORMAL || code >= 3e3 ? code : NORMAL);
    else socket.terminate();
    this.#handlers.closed(code, reason);
  }
};

// src/errors.ts
/**
* A request or a subscription that failed as a whole. `code` is the server's (`UNAUTHENTICATED`, `RATE_LIMITED`, …; see
* docs/errors.md), or one of the client:
*
* - `NETWORK`, `TIMEOUT`: no response. A change may or may not have been made.
* - `SIGNED_OUT`: no user is signed in. `USER_CHANGED`: another user is signed in than the one of the request.
* - `ABORTED`: the caller's signal. `CLOSED`: closed by this page.
* - `CONNECTION_REFUSED`: the server closed the WebSocket with a code that a new connection does not change.
*/
var RequestError = class extends Error {
  constructor(code, message, details = {}) {
    super(message);
    Object.assign(this, {
      name: "RequestError",
      code,
      errors: []
    }, details);
  }
  /** Whether the same request can succeed later. */
  get isTemporary() {
    return /^(NETWORK|TIMEOUT|UNAVAILABLE|RATE_LIMITED)$/.test(this.code);
  }
};
const DISPOSED = "It is closed.";
/** The error of a response, from its `errors`. */
function responseError(errors, data) {
  const first = errors[0];
  const { code = "INTERNAL", retryAfter } = first?.extensions ?? {};
  return new RequestError(code, first?.message ?? "The request failed.", {
    retryAfter,
    errors,
    data
  });
}
function signedOut() {
  return new RequestError("SIGNED_OUT", "No user is signed in.");
}
/** Any thrown value as a `RequestError`. */
function asRequestError(error) {
  if (error instanceof RequestError) return error;
  return new RequestError("NETWORK", error?.message ?? String(error), { cause: error });
}
/** Calls a callback of the application. Its error is reported, and does not disturb the caller. */
function call(callback) {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

// src/http.ts
/**
* Runs *work* for at most *timeout* milliseconds, until *signal* is aborted, or until *watch* calls `end`. Then the signal
* of *work* is aborted, and what it does is ignored. *watch* returns a function that ends the watch.
*/
async function limited(timeout, signal, work, watch) {
  if (signal?.aborted) throw abortReason(signal);
  const controller = new AbortController();
  let end;
  const ended = new Promise((_, reject) => end = (error) => (reject(error), controller.abort()));
  const abort = () => end(abortReason(signal));
  const timer = later(timeout, () => end(new RequestError("TIMEOUT", "No response in time.")));
  const unwatch = watch?.(end);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([ended, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    unwatch?.();
    signal?.removeEventListener("abort", abort);
  }
}
/** The address as seen from the page. An absolute one stays as it is: React Native's `URL` adds a slash to it. */
function absolute(url) {
  return /^\w+:/.test(url) ? url : new URL(url, globalThis.location?.href).href;
}
/** The error for a request whose signal was aborted. */
function abortReason({ reason }) {
  return reason instanceof RequestError ? reason : new RequestError("ABORTED", "The request was aborted.", { cause: reason });
}

// src/session_state.ts
/** The error of a request whose user is no longer signed in; null: the user is signed in, or it is not known. */
function userError(state, userId) {
  if (userId === void 0 || !state || state.status === "unknown" || state.user?.id === userId) return null;
  return state.user ? new RequestError("USER_CHANGED", "Another user has signed in.") : signedOut();
}

// src/connector.ts
/** Close codes after which another connection would be closed, too. */
const FATAL = [
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  4400,
  4406,
  4409,
  4429
];
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
/** Errors of the authorizer that another attempt does not change. */
const FINAL = [
  "SIGNED_OUT",
  "USER_CHANGED",
  "CLOSED",
  "CONNECTION_REFUSED"
];
/** Keeps one connection open while it is wanted: authorizes, connects, and reconnects with growing pauses. */
var Connector = class {
  status = {
    state: "idle",
    connections: 0,
    error: null,
    retryAt: null
  };
  #options;
  #handlers;
  #connection = null;
  /** The identity of the current attempt: whatever an earlier one still does is ignored. */
  #attempt = null;
  #token;
  #refused;
  /** Whether the token was renewed since the server last accepted a connection. */
  #wasRenewed = false;
  #userId;
  #failures = 0;
  #mayHurry = true;
  #timer;
  #stable;
  #unsubscribe;
  constructor(options, handlers) {
    this.#options = options;
    this.#handlers = handlers;
  }
  get connection() {
    return this.#connection?.isOpen ? this.#connection : null;
  }
  start() {
    if (this.status.state !== "idle") return;
    const { session } = this.#options;
    this.#userId = session.state?.user?.id;
    this.#unsubscribe = session.subscribe?.(this.#checkUser);
    this.#connect();
  }
  /** Closes the connection, and forgets the user. */
  stop(state = "idle", error = null) {
    this.#unsubscribe?.();
    this.#attempt = null;
    this.#refused = this.#userId = void 0;
    this.#wasRenewed = false;
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#set({
      state,
      error,
      retryAt: null
    });
    this.#close(1e3);
  }
  /** Connects at once if it waits, and tests an open connection. */
  check() {
    if (this.status.state === "waiting" && this.#mayHurry) this.#connect();
    else this.connection?.check(this.#options.checkTimeout);
  }
  reconnect(delay) {
    if (this.status.state === "idle" || this.status.state === "closed") return;
    this.#close(DROPPED);
    this.#wait(delay, new RequestError("CLOSED", "The connection was closed."));
  }
  /** The server no longer accepts the token. */
  renew(error) {
    this.#refused = this.#token;
    this.#close(DROPPED);
    this.#retry(error);
  }
  #connect = async () => {
    const attempt = this.#attempt = {};
    clearTimeout(this.#timer);
    this.#set({
      state: "connecting",
      retryAt: null
    });
    try {
      const authorization = await limited(this.#options.handshakeTimeout, void 0, () => this.#authorize());
      if (this.#attempt === attempt) this.#open(authorization, attempt);
    } catch (error) {
      if (this.#attempt === attempt) this.#attemptFailed(error);
    }
  };
  async #authorize() {
    const authorization = await this.#options.session.authorize({
      refused: this.#refused,
      userId: this.#userId
    });
    if (!authorization) throw signedOut();
    if (authorization.token !== this.#refused) return authorization;
    throw new RequestError("CONNECTION_REFUSED", "The token was refused.");
  }
  #attemptFailed(thrown) {
    const error = asRequestError(thrown);
    if (FINAL.includes(error.code) || thrown?.fatal) this.#fail(error);
    else this.#retry(error);
  }
  #open({ token, user }, attempt) {
    const options = this.#options;
    this.#token = token;
    this.#userId ??= user?.id;
    const handlers = {
      ...this.#handlers,
      acknowledged: () => this.#acknowledged(),
      closed: (code, reason) => this.#attempt === attempt && this.#closed(code, reason)
    };
    try {
      this.#connection = new Connection(absolute(options.url ?? options.session.url).replace(/^http/, "ws"), token, options, handlers);
    } catch (cause) {
      throw new RequestError("CONNECTION_REFUSED", String(cause), { cause });
    }
  }
  #acknowledged() {
    this.#refused = void 0;
    this.#wasRenewed = false;
    this.#stable = later(this.#options.stableAfter, () => this.#failures = 0);
    this.#set({
      state: "connected",
      error: null,
      connections: this.status.connections + 1
    });
    this.#handlers.connected(this.#connection);
  }
  #closed(code, reason) {
    this.#connection = null;
    clearTimeout(this.#stable);
    this.#handlers.disconnected();
    const message = reason || `The connection was closed with ${code}.`;
    const isRefused = code === FORBIDDEN || code === UNAUTHORIZED;
    if (FATAL.includes(code) || code === UNAUTHORIZED && this.#wasRenewed) return this.#fail(new RequestError("CONNECTION_REFUSED", message, { closeCode: code }));
    if (isRefused) this.#refused = this.#token;
    this.#wasRenewed ||= isRefused;
    this.#retry(new RequestError(isRefused ? "UNAUTHENTICATED" : "NETWORK", message, { closeCode: code }));
  }
  /** Closes the connection from this side. */
  #close(code) {
    const connection = this.#connection;
    this.#connection = this.#attempt = null;
    clearTimeout(this.#stable);
    if (!connection) return;
    connection.close(code);
    this.#handlers.disconnected();
  }
  #retry(error) {
    this.#wait(backoff(this.#failures++, this.#options, error.retryAfter), error);
  }
  #wait(delay, error) {
    this.#attempt = null;
    this.#mayHurry = error.closeCode !== void 0 || error.code === "NETWORK" || error.code === "TIMEOUT";
    clearTimeout(this.#timer);
    this.#timer = later(delay, this.#connect);
    this.#set({
      state: "waiting",
      error,
      retryAt: Date.now() + delay
    });
  }
  #fail(error) {
    this.stop("idle", error);
    this.#handlers.failed(error);
  }
  #checkUser = () => {
    const error = userError(this.#options.session.state, this.#userId);
    if (error) this.#fail(error);
  };
  #set(change) {
    if (this.status.state === "closed") return;
    this.status = {
      ...this.status,
      ...change
    };
    this.#handlers.changed(this.status);
  }
};

// src/iterate.ts
/** How many results wait for the consumer at most, before the source is paused. */
const LONGEST_QUEUE = 256;
/** The results of a subscription as an async iterable. It subscribes at once; `return` ends it, also while it waits. */
function iterate(subscribe) {
  const queue = [];
  let isPaused = false;
  let end = null;
  /** Calls of `next` that wait for a result, in their order. */
  const waiting = [];
  const notify = () => waiting.splice(0).forEach((wake) => wake());
  const finish = (reason) => (end ??= reason, notify());
  const source = subscribe({
    next: (result) => {
      queue.push(result);
      if (queue.length >= LONGEST_QUEUE && !isPaused) source.pause(), isPaused = true;
      notify();
    },
    error: (error) => finish({ error }),
    complete: () => finish({})
  });
  const next = async () => {
    while (!queue.length && !end) await new Promise((resolve) => waiting.push(resolve));
    if (!queue.length) {
      const { error } = end;
      end = {};
      if (error) throw error;
      return {
        done: true,
        value: void 0
      };
    }
    const value = queue.shift();
    if (isPaused && !queue.length) isPaused = false, source.resume();
    return {
      done: false,
      value
    };
  };
  return {
    next,
    return: async () => {
      queue.length = 0;
      source.end();
      finish({});
      return {
        done: true,
        value: void 0
      };
    },
    [Symbol.asyncIterator]() {
      return this;
    }
  };
}

// src/json.ts
/** The same names with other values. */
function mapFields(value, map) {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, map(field, name)]));
}

// src/listeners.ts
/** A set of listeners. One that throws does not keep the others from being called. */
function createListeners() {
  const listeners = /* @__PURE__ */ new Set();
  return {
    add(listener) {
      const own = { listener };
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    notify(...values) {
      for (const { listener } of [...listeners]) call(() => listener(...values));
    }
  };
}

// src/resyncs.ts
/**
* Reads lists again: once for all subscriptions that need it at the same time, until it succeeds. Resolves to the cursor of
* the lists; rejects if the signal is aborted, or after a failure if no subscription needs them.
*/
function createResyncs(onResync, onStart, isNeeded, pauses, signal) {
  let running = null;
  async function read(resync, request) {
    onStart();
    for (let failures = 0;; failures++) try {
      return await onResync?.(resync, request);
    } catch (error) {
      await sleep(backoff(failures, pauses, asRequestError(error).retryAfter), signal);
      if (!isNeeded()) throw error;
    }
  }
  return ({ reason, cursor }, request) => running ??= read({
    reason,
    cursor
  }, request).finally(() => running = null);
}

// src/document.ts
/** The text of a document. Throws a `TypeError` if it has none. */
function textOf(document) {
  if (typeof document === "string") return document;
  const text = document.loc?.source.body ?? (document instanceof String ? document.toString() : void 0);
  if (text !== void 0) return text;
  throw new TypeError("No text: set documentMode \"string\" in graphql-codegen.");
}

// src/recent_map.ts
/** A map of the last *limit* keys that were set. */
var RecentMap = class extends Map {
  #limit;
  constructor(limit) {
    super();
    this.#limit = limit;
  }
  set(key, value) {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#limit) this.delete(this.keys().next().value);
    return this;
  }
};

// src/subscription.ts
/** How many cursors are remembered, so that no item is delivered twice. */
const REMEMBERED = 2e3;
/** One subscription: its sink, and its position in the stream across connections. */
var Subscription = class {
  request;
  /** The id of its operation on the current connection; null: it has none. */
  id = null;
  /** Whether it waits: for lists that are read again, for its consumer, or because it was refused for a while. */
  isPaused = false;
  /** How often it was refused or lost its place, one time soon after the other. */
  failures = 0;
  timer;
  #sink;
  #after;
  #seen = new RecentMap(REMEMBERED);
  #stableAt = 0;
  #hasEnded = false;
  constructor(request, sink) {
    this.request = request;
    this.#sink = sink;
    const { after } = request.variables ?? {};
    this.#after = after ?? null;
    JSON.stringify(this.payload);
  }
  get hasEnded() {
    return this.#hasEnded;
  }
  /** What to send: it continues after the last cursor. */
  get payload() {
    const { query, variables, operationName, extensions } = this.request;
    return {
      query: textOf(query),
      variables: {
        ...variables,
        after: this.#after
      },
      ...operationName && { operationName },
      ...extensions && { extensions }
    };
  }
  /** The pause before it starts again, in milliseconds. It grows until a pause is followed by *stableAfter* without a failure. */
  fail(options, retryAfter) {
    const now = Date.now();
    if (now > this.#stableAt) this.failures = 0;
    const delay = backoff(this.failures++, options, retryAfter);
    this.#stableAt = now + delay + options.stableAfter;
    return delay;
  }
  /** Continues from another place. What comes from there is new, whatever was received before. */
  moveTo(cursor) {
    this.#seen.clear();
    this.#after = cursor;
  }
  /** Remembers a position; false: it was passed before. A ping that an item overtakes names an earlier one. */
  pass(cursor) {
    if (this.#seen.has(cursor)) return false;
    this.#seen.set(cursor, true);
    this.#after = cursor;
    return true;
  }
  next(result) {
    if (!this.#hasEnded) call(() => this.#sink.next(result));
  }
  error(error) {
    this.#finish(() => this.#sink.error?.(error));
  }
  complete() {
    this.#finish(() => this.#sink.complete?.());
  }
  /** Ends it without a call of the sink. */
  end() {
    this.#hasEnded = true;
  }
  #finish(notify) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    call(notify);
  }
};
/** The item in a result; undefined: errors took its place. */
function itemOf({ data }) {
  const item = Object.values(data ?? {})[0];
  return typeof item?.cursor === "string" ? item : void 0;
}

// src/wake.ts
/**
* Calls *listener* when the network or the page is back: `online`, a page that becomes visible, a page from the back/forward
* cache. Without these events (Node, React Native) it does nothing. Returns a function that ends this.
*/
function onWake(listener) {
  const { document, addEventListener } = globalThis;
  const controller = new AbortController();
  const { signal } = controller;
  addEventListener?.("online", listener, { signal });
  addEventListener?.("pageshow", listener, { signal });
  document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && listener(), { signal });
  return () => controller.abort();
}

// src/stream.ts
const DEFAULTS = {
  handshakeTimeout: 1e4,
  silenceTimeout: 3e4,
  checkTimeout: 5e3,
  minDelay: 500,
  maxDelay: 15e3,
  stableAfter: 1e4,
  idleTimeout: 1e3
};
/** Creates a stream. It connects with its first subscription. */
function createStream(options) {
  return new ResumableStream(options);
}
var ResumableStream = class {
  #options;
  #subscriptions = /* @__PURE__ */ new Set();
  #running = /* @__PURE__ */ new Map();
  #connector;
  #resyncs;
  #statusListeners = createListeners();
  #cursorListeners = createListeners();
  #disposal = new AbortController();
  #lastId = 0;
  #idle;
  #removeWake;
  constructor(options) {
    const optionOf = (value, name) => options[name] ?? value;
    this.#options = {
      ...options,
      ...mapFields(DEFAULTS, optionOf)
    };
    this.#connector = new Connector(this.#options, {
      connected: () => this.#startAll(),
      disconnected: () => this.#stopAll(),
      failed: (error) => this.#failAll(error),
      changed: () => this.#statusListeners.notify(),
      message: (type, id, payload) => this.#receive(type, this.#running.get(id), payload),
      cursors: (cursors) => this.#pinged(cursors)
    });
    this.#resyncs = createResyncs(options.onResync, () => options.cache?.reset(), () => this.#subscriptions.size > 0, this.#options, this.#disposal.signal);
  }
  get status() {
    return this.#connector.status;
  }
  onStatus = (listener) => this.#statusListeners.add(listener);
  onCursor = (listener) => this.#cursorListeners.add(listener);
  subscribe = (request, sink) => {
    const subscription = this.#add(request, sink);
    return () => this.#end(subscription);
  };
  iterate = (request) => iterate((sink) => {
    const subscription = this.#add(request, sink);
    return {
      pause: () => this.#pause(subscription),
      resume: () => this.#resume(subscription),
      end: () => this.#end(subscription)
    };
  });
  check = () => this.#connector.check();
  reconnect = (delay = 0) => this.#connector.reconnect(delay);
  dispose = () => {
    this.#disposal.abort();
    this.#removeWake?.();
    this.#connector.stop("closed");
    for (const subscription of this.#subscriptions) this.#remove(subscription), subscription.complete();
    clearTimeout(this.#idle);
  };
  #add(request, sink) {
    const subscription = new Subscription(request, sink);
    if (this.status.state === "closed") {
      subscription.error(new RequestError("CLOSED", DISPOSED));
      return subscription;
    }
    clearTimeout(this.#idle);
    this.#removeWake ??= onWake(this.check);
    this.#subscriptions.add(subscription);
    this.#connector.start();
    this.#start(subscription);
    return subscription;
  }
  #end(subscription) {
    subscription.end();
    this.#stop(subscription);
    this.#remove(subscription);
  }
  #remove(subscription) {
    if (!this.#subscriptions.delete(subscription)) return;
    this.#forget(subscription);
    clearTimeout(subscription.timer);
    if (!this.#subscriptions.size) this.#idle = later(this.#options.idleTimeout, this.#becomeIdle);
  }
  /** Not at once: a component that is mounted again at once keeps its connection. */
  #becomeIdle = () => {
    this.#removeWake?.();
    this.#removeWake = void 0;
    if (this.status.state !== "idle") this.#connector.stop();
  };
  #start(subscription) {
    const { connection } = this.#connector;
    if (!connection || subscription.id !== null || subscription.isPaused || subscription.hasEnded) return;
    const id = subscription.id = `${++this.#lastId}`;
    this.#running.set(id, subscription);
    connection.subscribe(id, subscription.payload);
  }
  /** Ends its operation on the connection; results that are under way are ignored. */
  #stop(subscription) {
    const { id } = subscription;
    if (id === null) return;
    this.#forget(subscription);
    this.#connector.connection?.complete(id);
  }
  /** It has no operation on the connection. */
  #forget(subscription) {
    this.#running.delete(subscription.id);
    subscription.id = null;
  }
  #pause(subscription) {
    subscription.isPaused = true;
    this.#stop(subscription);
  }
  #resume(subscription) {
    subscription.isPaused = false;
    this.#start(subscription);
  }
  #startAll() {
    for (const subscription of this.#subscriptions) this.#start(subscription);
  }
  #stopAll() {
    for (const subscription of this.#running.values()) subscription.id = null;
    this.#running.clear();
  }
  #failAll(error) {
    const subscriptions = [...this.#subscriptions];
    for (const subscription of subscriptions) this.#remove(subscription);
    for (const subscription of subscriptions) subscription.error(error);
  }
  #pinged(cursors) {
    for (const [id, cursor] of Object.entries(cursors)) if (this.#running.get(id)?.pass(cursor)) this.#cursorListeners.notify(cursor);
  }
  /** A message for an operation that has ended on this side is ignored. */
  #receive(type, subscription, payload) {
    if (!subscription) return;
    if (type === "next") return this.#next(subscription, payload);
    if (type === "error") return this.#error(subscription, payload);
    if (type !== "complete") return;
    this.#remove(subscription);
    subscription.complete();
  }
  #next(subscription, result) {
    const item = itemOf(result);
    if (item?.__typename === "ResyncRequired") return void this.#resync(subscription, item);
    if (item && !subscription.pass(item.cursor)) return;
    const { cache } = this.#options;
    subscription.next(cache && result.data ? {
      ...result,
      data: cache.writeStream(result.data)
    } : result);
    if (item) this.#cursorListeners.notify(item.cursor);
  }
  /** Its operation is stopped until then, so that the server keeps what follows, and nothing is held in memory. */
  async #resync(subscription, item) {
    this.#pause(subscription);
    subscription.moveTo(item.cursor);
    const delay = subscription.fail(this.#options);
    try {
      if (subscription.failures > 1) await sleep(delay, this.#disposal.signal);
      const cursor = await this.#resyncs(item, subscription.request);
      if (typeof cursor === "string") subscription.moveTo(cursor);
      this.#resume(subscription);
    } catch {}
  }
  /** The operation was refused; the connection continues. */
  #error(subscription, errors) {
    const error = responseError(errors);
    this.#forget(subscription);
    if (error.code === "UNAUTHENTICATED") return this.#connector.renew(error);
    if (error.isTemporary) return this.#later(subscription, error);
    this.#remove(subscription);
    subscription.error(error);
  }
  #later(subscription, { retryAfter }) {
    subscription.isPaused = true;
    subscription.timer = later(subscription.fail(this.#options, retryAfter), () => this.#resume(subscription));
  }
};

// single-file/resumable.ts
/**
* A client for subscriptions that have a variable `$after: String` and select `__typename cursor` in their one root field.
* Each item reaches the application once, in order, across any number of connections.
*/
function createResumableClient(options) {
  const { silence, longestPause, webSocketImpl, onResync } = options;
  const stream = createStream({
    session: authorizer(options),
    webSocket: webSocketImpl,
    onResync,
    ...silence && {
      silenceTimeout: silence,
      handshakeTimeout: silence
    },
    ...longestPause && { maxDelay: longestPause }
  });
  return {
    /** Returns a function that ends the subscription. */
    subscribe: (payload, sink) => stream.subscribe(payload, sink),
    /** The same as an async iterable. */
    iterate: (payload) => stream.iterate(payload),
    /** Calls *listener* after each connection and after each end of one; returns a function that ends this. */
    on(name, listener) {
      let last = stream.status;
      return stream.onStatus(() => {
        const before = last;
        last = stream.status;
        if (name === "connected" && last.connections > before.connections) listener();
        if (name === "closed" && last.state !== "connected" && last.error && last.error !== before.error) listener({
          code: last.error.closeCode,
          reason: last.error.message
        });
      });
    },
    /** Tests the connection, or connects at once: after a sleep. Browsers call it themselves. */
    check: stream.check,
    /** Replaces the connection. */
    terminate: () => stream.reconnect(),
    /** Ends all subscriptions. */
    dispose: stream.dispose
  };
}
function authorizer({ url, accessToken }) {
  let address = "";
  return {
    get url() {
      return address;
    },
    async authorize({ refused } = {}) {
      address = typeof url === "function" ? await url() : url;
      return {
        token: await accessToken(refused !== void 0),
        user: null
      };
    }
  };
}

export { createResumableClient };