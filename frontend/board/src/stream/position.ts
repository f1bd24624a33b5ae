/** Where a stream cursor stands: positions count within one epoch, from 1, without holes. */
export interface Place {
  readonly epoch: string;
  readonly position: number;
}

/** The formats of cursors that begin with the epoch and the position. */
const FORMATS = new Set(["s1", "s2"]);

/**
 * What a cursor says. For other clients cursors are opaque; this page comes with the server that makes them, and shows
 * where it stands. Null if it cannot be read: the board then goes without, for versions alone keep it true.
 */
export function placeOf(cursor: string | null): Place | null {
  if (cursor === null) return null;
  try {
    const [form, epoch, position] = atob(cursor.replaceAll("-", "+").replaceAll("_", "/")).split(".");
    if (!FORMATS.has(form!) || !epoch || !/^\d+$/.test(position ?? "")) return null;
    return { epoch, position: Number(position) };
  } catch {
    return null;
  }
}

/** Whether *place* lies at or before *other*, in the same history. */
export function isBy(place: Place | null, other: Place | null): boolean {
  return !!place && !!other && place.epoch === other.epoch && place.position <= other.position;
}
