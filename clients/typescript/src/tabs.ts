/** The time for a message of the tab that had the lock before, in milliseconds. */
const MESSAGE_DELAY = 50;

export interface Tabs<Message> {
  /** Starts to receive messages. Not at once: a session can be created during server-side rendering. */
  open(): void;
  send(message: Message): void;
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
  let channel: BroadcastChannel | null = null;
  let last: Promise<unknown> = Promise.resolve();

  return {
    open() {
      if (isAlone || channel || typeof BroadcastChannel === "undefined") return;
      channel = new BroadcastChannel(name());
      channel.onmessage = ({ data }: MessageEvent<Message>) => onMessage(data);
      (channel as { unref?: () => void }).unref?.(); // In Node an open channel keeps the process alive.
    },
    send: (message) => channel?.postMessage(message),
    close() {
      channel?.close();
      channel = null;
    },
    exclusive(work, patience) {
      const locks = isAlone ? undefined : globalThis.navigator?.locks;
      const mine = last.then(() => (locks ? locked(locks, name(), work, patience) : work()));
      last = mine.catch(() => {});
      return mine;
    },
  };
}

/** A page that never ends its work, and a page that may not use locks, do not block this one. */
async function locked<T>(locks: LockManager, name: string, work: () => Promise<T>, patience: number): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), patience);
  let running: Promise<T> | undefined;
  const start = () => (running ??= work());
  try {
    await locks.request(name, { ifAvailable: true }, (lock) => lock && start());
    if (!running) await locks.request(name, { signal: controller.signal }, () => afterMessages(start));
  } catch {
    // There is no lock, or the work has failed: then this is its error.
  } finally {
    clearTimeout(timer);
  }
  return start();
}

/** The message of the page that had the lock before may arrive later than the lock. */
async function afterMessages<T>(work: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, MESSAGE_DELAY));
  return work();
}
