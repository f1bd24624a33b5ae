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
    close: () => channel?.close(),
    exclusive(work, patience) {
      const locks = isAlone ? undefined : globalThis.navigator?.locks;
      const mine = last.then(() => (locks ? locked(locks, name(), work, patience) : work()));
      last = mine.catch(() => {});
      return mine;
    },
  };
}

async function locked<T>(locks: LockManager, name: string, work: () => Promise<T>, patience: number): Promise<T> {
  const free = await locks.request(name, { ifAvailable: true }, async (lock) => lock && { value: await work() });
  return free ? free.value : waited(locks, name, work, patience);
}

/** After another page: its message may arrive later than the lock. A page that never ends does not block this one. */
async function waited<T>(locks: LockManager, name: string, work: () => Promise<T>, patience: number): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => controller.abort(), patience);
  const started = async () => {
    clearTimeout(timer);
    await new Promise((resolve) => setTimeout(resolve, MESSAGE_DELAY));
    return work();
  };
  return (locks.request(name, { signal }, started) as Promise<T>).catch((error) => {
    if (signal.aborted) return work();
    throw error;
  });
}
