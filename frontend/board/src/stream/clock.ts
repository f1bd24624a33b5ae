// How far the server's clock is ahead of this one's, as far as that can be known. Pure.

/** The server's clock minus ours, in milliseconds: somewhere between the two. */
export interface Skew {
  readonly least: number;
  readonly most: number;
}

/** An answer carried the server's instant *at*, taken between our *sent* and *received*: so much is certain. */
export function observed(at: number, sent: number, received: number): Skew {
  return { least: at - received, most: at - sent };
}

/** What both observations say; if they cannot both be true, a clock was set, and the newer one counts. */
export function narrowed(known: Skew | null, seen: Skew): Skew {
  if (!known) return seen;
  const both = { least: Math.max(known.least, seen.least), most: Math.min(known.most, seen.most) };
  return both.least <= both.most ? both : seen;
}

export interface Latency {
  /** From the event to its arrival, in milliseconds; the best guess. */
  readonly milliseconds: number;
  /** The maximum error in both directions; null if it is unknown, because two clocks were compared directly. */
  readonly give: number | null;
}

/** How long an event took that happened at the server's *at* and arrived at our *received*. */
export function latency(at: number, received: number, skew: Skew | null): Latency {
  if (!skew) return { milliseconds: received - at, give: null };
  const least = Math.max(0, received - at + skew.least);
  const most = Math.max(least, received - at + skew.most);
  return { milliseconds: (least + most) / 2, give: (most - least) / 2 };
}
