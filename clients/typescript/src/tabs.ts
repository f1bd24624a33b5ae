/**
 * The longest time for the message of the tab that had the lock before, in milliseconds. It arrives later than the lock, on a
 * busy machine much later. A tab whose work has failed sends none.
 */
const MESSAGE_DELAY = 1_000;

export interface Tabs<Message> {
  /** Starts to receive messages. Not at once: a session can be created during server-side rendering. */
  open(): void;
  send(message: Message): void;
  /** Ends this object: it neither sends nor receives any more. */
  close(): void;
  /** Runs *work* while no other page of the origin runs work of this name. Waits for them at most *patience* milliseconds. */
  exclusive<T>(work: () => Promise<T>, patience: number): Promise<T>;
}

/**
 * The pages of one origin that share a session: one of them works at a time, and all receive messages.
 * Without Web Locks (plain HTTP, React Native) work is exclusive in this page only. Without `BroadcastChannel`
 * (React Native) there are no other pages. *isAlone*: neither is used.
 */
export function createTabs<Message>(name: () => string, isAlone: boolean, onMessage: (message: Message) => void): Tabs<Message> {
  let channel: BroadcastChannel | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let received = () => {};

  /** A page that never ends its work, and a page that may not use locks, do not block this one. */
  async function locked<T>(locks: LockManager, work: () => Promise<T>, patience: number): Promise<T> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), patience);
    const message = new Promise<void>((resolve) => (received = resolve));
    let running: Promise<T> | undefined;
    const start = () => (running ??= work());
    const startAfterMessage = () => (setTimeout(received, MESSAGE_DELAY), message.then(start));
    try {
      await locks.request(name(), { ifAvailable: true }, (lock) => lock && start());
      if (!running) await locks.request(name(), { signal: controller.signal }, startAfterMessage);
    } catch {
      // There is no lock, or the work has failed: then this is its error.
    }
    clearTimeout(timer);
    return start();
  }

  return {
    open() {
      if (isAlone || channel || typeof BroadcastChannel === "undefined") return;
      channel = new BroadcastChannel(name());
      channel.onmessage = ({ data }: MessageEvent<Message>) => {
        onMessage(data);
        received();
      };
      (channel as { unref?: () => void }).unref?.(); // In Node an open channel keeps the process alive.
    },
    send: (message) => channel?.postMessage(message),
    close: () => channel?.close(),
    exclusive(work, patience) {
      const locks = !isAlone && globalThis.navigator?.locks;
      const mine = last.then(() => (locks ? locked(locks, work, patience) : work()));
      last = mine.catch(() => {});
      return mine;
    },
  };
}
