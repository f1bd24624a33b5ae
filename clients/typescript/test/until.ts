// Waiting for events of real sockets while the timers are virtual.
import { vi } from "vitest";

const realSetImmediate = setImmediate;
const realNow = performance.now.bind(performance);
/** Against a test that hangs; nothing depends on it. */
const HANG = 20_000;

/** Lets sockets and promises proceed until the condition is true. */
export async function until(condition: () => unknown, what = "the condition"): Promise<void> {
  const start = realNow();
  while (!(await condition())) {
    if (realNow() - start > HANG) throw new Error(`It did not come true: ${what}.`);
    await turn();
  }
}

/** One turn of the real event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

/** Some turns: what would happen without a timer has happened. */
export async function settle(turns = 30): Promise<void> {
  for (let done = 0; done < turns; done++) await turn();
}

/** Virtual timers; sockets stay real. */
export function useVirtualTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
}

/** Lets virtual time pass in small steps, so that sockets keep up. */
export async function pass(milliseconds: number, step = 250): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += step) {
    await vi.advanceTimersByTimeAsync(Math.min(step, milliseconds - passed));
    await settle(5);
  }
}
