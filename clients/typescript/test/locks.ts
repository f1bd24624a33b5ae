// `navigator.locks` as far as it is used: Node 20 has none.
type Work = (lock: object | null) => unknown;
interface Options {
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal;
}

export function fakeLocks() {
  const held = new Map<string, Promise<unknown>>();
  const run = (name: string, work: Work): Promise<unknown> => {
    const running = Promise.resolve().then(() => work({ name }));
    const settled: Promise<unknown> = running.catch(() => {}).then(() => held.delete(name));
    held.set(name, settled);
    return running;
  };
  return {
    async request(name: string, { ifAvailable, signal }: Options, work: Work): Promise<unknown> {
      if (ifAvailable && held.has(name)) return work(null);
      const aborted = new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      while (held.has(name)) await Promise.race([held.get(name), aborted]);
      return run(name, work);
    },
  };
}
