/** The time for a message of the tab that had the lock before, in milliseconds. */
const MESSAGE_DELAY = 50;

/**
 * The pages of one origin that share a session: one of them works at a time, and all receive messages.
 * Without Web Locks (plain HTTP, React Native) work is exclusive in this page only. Without `BroadcastChannel`
 * (React Native) there are no other pages.
 */
export class Tabs<Message> {
  #channel: BroadcastChannel | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly name: string,
    private readonly onMessage: (message: Message) => void,
  ) {}

  /** Starts to receive messages. Not in the constructor: a session can be created during server-side rendering. */
  open(): void {
    if (this.#channel || typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(this.name);
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.onMessage(data);
    (this.#channel as { unref?: () => void }).unref?.(); // In Node an open channel keeps the process alive.
  }

  send(message: Message): void {
    this.#channel?.postMessage(message);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  /** Runs *work* while no other work of this page runs. */
  inPage<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Runs *work* while no other page of the origin runs work of this name. Waits at most *patience* milliseconds. */
  exclusive<T>(work: () => Promise<T>, patience: number): Promise<T> {
    return this.inPage(() => this.#locked(work, patience));
  }

  async #locked<T>(work: () => Promise<T>, patience: number): Promise<T> {
    const locks = globalThis.navigator?.locks;
    if (!locks) return work();
    const free = await locks.request(this.name, { ifAvailable: true }, async (lock) => lock && { value: await work() });
    return free ? free.value : this.#waited(locks, work, patience);
  }

  /** After another page: its message may arrive later than the lock. A page that never ends does not block this one. */
  async #waited<T>(locks: LockManager, work: () => Promise<T>, patience: number): Promise<T> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), patience);
    const started = async () => {
      clearTimeout(timer);
      await new Promise((resolve) => setTimeout(resolve, MESSAGE_DELAY));
      return work();
    };
    return (locks.request(this.name, { signal: controller.signal }, started) as Promise<T>).catch((error) => {
      if (controller.signal.aborted) return work();
      throw error;
    });
  }
}
