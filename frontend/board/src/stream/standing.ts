// What can truthfully be said of the stream at any moment. Pure: what happened in, what to show out.
import { latency, type Latency, type Skew } from "./clock";
import { isBy, placeOf, type Place } from "./position";

export type Phase = "CONNECTING" | "LIVE" | "CATCHING_UP" | "AWAY" | "STOPPED" | "OVER";

/** What was missed during the last absence, and how far it has been made up for. */
export interface Replay {
  /** When we were lost and when we came back, in milliseconds of this machine's clock. */
  readonly since: number;
  readonly back: number;
  /** Where the stream stood when we came back; null: not known yet. */
  readonly head: Place | null;
  /** What came before the head was known. */
  readonly early: readonly Place[];
  /** Missed events that have been replayed. */
  readonly count: number;
}

export interface Standing {
  readonly phase: Phase;
  readonly connections: number;
  /** How often the stream could not go on where it was, or something was missing after all: there should be none. */
  readonly gaps: number;
  readonly cursor: string | null;
  /** Of the last live event; replayed ones have no latency. */
  readonly latency: Latency | null;
  /** Why there is no connection. */
  readonly why: string | null;
  /** Since when there is none, by this machine's clock. */
  readonly since: number | null;
  readonly replay: Replay | null;
}

export const BEGINNING: Standing = {
  phase: "CONNECTING", connections: 0, gaps: 0, cursor: null, latency: null, why: null, since: null, replay: null,
};

export function connected(standing: Standing, now: number): Standing {
  const replay = standing.since === null ? null : returned(standing, standing.since, now);
  const phase = replay ? "CATCHING_UP" : "LIVE";
  return { ...standing, phase, replay, connections: standing.connections + 1, why: null, since: null };
}

/** The connection is lost; *stopped*: because the viewer wants it so. */
export function lost(standing: Standing, why: string, now: number, stopped: boolean): Standing {
  // The socket closes behind a subscription that has ended.
  if (standing.phase === "OVER") return standing;
  // One that had not caught up yet has still been away since then.
  const before = standing.phase === "CATCHING_UP" && standing.replay ? standing.replay.since : now;
  return { ...standing, phase: stopped ? "STOPPED" : "AWAY", why, since: standing.since ?? before };
}

/** The end: it does not come back by itself. */
export function over(standing: Standing, why: string): Standing {
  return { ...standing, phase: "OVER", why };
}

/** An event arrived. */
export function delivered(
  standing: Standing, item: { cursor: string; at: string }, received: number, skew: Skew | null,
): Standing {
  const here = placeOf(item.cursor);
  const replay = standing.replay && counted(standing.replay, here);
  const replayed = replay !== standing.replay;
  return {
    ...standing,
    replay,
    cursor: item.cursor,
    latency: replayed ? standing.latency : latency(Date.parse(item.at), received, skew),
  };
}

/** A ping said where the stream stands, unless an event has overtaken it. */
export function stands(standing: Standing, cursor: string): Standing {
  return standing.cursor !== null && isBy(placeOf(cursor), placeOf(standing.cursor)) ? standing : { ...standing, cursor };
}

/** Where the stream stood after we had come back: what lies before it was missed. */
export function headed(standing: Standing, cursor: string | null): Standing {
  const head = cursor === null ? null : placeOf(cursor);
  if (!standing.replay || standing.replay.head || !head) return standing;
  const count = standing.replay.count + standing.replay.early.filter((place) => isBy(place, head)).length;
  return { ...standing, replay: { ...standing.replay, head, early: [], count } };
}

/** Everything that was missed is there. */
export function caughtUp(standing: Standing): Standing {
  return standing.phase === "CATCHING_UP" ? { ...standing, phase: "LIVE" } : standing;
}

/** Something is lost to the stream, and the lists were read again. */
export function gapped(standing: Standing): Standing {
  return { ...standing, gaps: standing.gaps + 1 };
}

function returned({ replay }: Standing, since: number, now: number): Replay {
  const unfinished = replay?.since === since ? replay : null;
  return { since, back: now, head: null, early: unfinished?.early ?? [], count: unfinished?.count ?? 0 };
}

function counted(replay: Replay, here: Place | null): Replay {
  if (!here) return replay;
  if (!replay.head) return { ...replay, early: [...replay.early, here] };
  return isBy(here, replay.head) ? { ...replay, count: replay.count + 1 } : replay;
}
