// The manual order of a project: by rank, then by id, both compared by bytes. Pure.

/** What has a place in the manual order. */
export interface Ranked {
  readonly id: string;
  readonly rank: string | null;
}

/** Between which cards one is placed: the ids of its neighbours. Null: there is none on this side. */
export interface Spot {
  readonly after: string | null;
  readonly before: string | null;
}

export function byRank(one: Ranked, other: Ranked): number {
  const [rank, otherRank] = [one.rank ?? "", other.rank ?? ""];
  if (rank !== otherRank) return rank < otherRank ? -1 : 1;
  return bytesOf(one.id) < bytesOf(other.id) ? -1 : 1;
}

/** A rank directly behind *rank*, for a card whose place the server has not confirmed yet. */
export function behind(rank: string): string {
  return `${rank}\0`;
}

/** The rank that shows a card at a place until the server answers; undefined: it stays where it is. */
export function shownRank({ after, before }: Spot, rankOf: (id: string) => string | null | undefined): string | undefined {
  const previous = after === null ? undefined : rankOf(after);
  if (typeof previous === "string") return behind(previous);
  return before === null ? undefined : "";
}

/** The place of the card *id* in a column: its neighbours. */
export function spotOf(column: readonly Ranked[], id: string): Spot {
  const here = column.findIndex((each) => each.id === id);
  return { after: column[here - 1]?.id ?? null, before: here < 0 ? null : (column[here + 1]?.id ?? null) };
}

/** The place one step up (-1) or down (1) in the column; null: there is none. */
export function stepped(column: readonly Ranked[], id: string, step: -1 | 1): Spot | null {
  const here = column.findIndex((each) => each.id === id);
  const next = here + step;
  if (here < 0 || !column[next]) return null;
  const rest = column.filter((each) => each.id !== id);
  return { after: rest[next - 1]?.id ?? null, before: rest[next]?.id ?? null };
}

/** The neighbour that is sent to the server: one is enough. */
export function neighbour({ after, before }: Spot): { after: string } | { before: string } | object {
  if (after !== null) return { after };
  return before === null ? {} : { before };
}

/** Ids are base64url texts, whose order is not that of their bytes. */
function bytesOf(id: string): string {
  try {
    return atob(id.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return id;
  }
}
