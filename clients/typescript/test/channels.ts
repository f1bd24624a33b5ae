// `BroadcastChannel` whose messages arrive after a time, as between the processes of a busy machine.
export function slowChannels(milliseconds: number) {
  const channels = new Set<Channel>();
  class Channel {
    onmessage: ((event: { data: unknown }) => void) | null = null;

    constructor(readonly name: string) {
      channels.add(this);
    }

    postMessage(data: unknown): void {
      setTimeout(() => this.#deliver(data), milliseconds);
    }

    #deliver(data: unknown): void {
      for (const each of channels) if (each !== this && each.name === this.name) each.onmessage?.({ data });
    }

    close(): void {
      channels.delete(this);
    }
  }
  return Channel;
}
