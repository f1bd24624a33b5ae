import type { Comparison } from "../board/state";
import type { Store } from "../board/store";
import type { Skew } from "../stream/clock";
import { placeOf } from "../stream/position";
import type { Phase, Standing } from "../stream/standing";
import { span } from "./times";
import { useClock } from "./use";

/** How long "Stop" stops, in seconds; another number can be asked for in the address, `?stop=2`. */
const STOP = Number(new URLSearchParams(location.search).get("stop")) || 30;
const SECOND = 1_000;

const PHASES: Readonly<Record<Phase, string>> = {
  CONNECTING: "Connecting",
  LIVE: "Live",
  CATCHING_UP: "Catching up",
  AWAY: "Disconnected",
  STOPPED: "Stopped",
  OVER: "Ended",
};

/** The truth about the stream. */
export function StreamFooter({ store }: { store: Store }) {
  const { standing, skew, comparison, loaded, board } = store.state;
  const connected = standing.phase === "LIVE" || standing.phase === "CATCHING_UP";
  return (
    <footer class={`stream ${standing.phase}`} aria-label="The stream">
      <p class="phase" role="status"><span class="lamp" /> {PHASES[standing.phase]}</p>
      <p class="story">{loaded ? <Story standing={standing} /> : reading(board.tasks.size, standing.why)}</p>
      <dl>
        <Fact name="Transport" value="graphql-transport-ws" />
        <Fact name="Cursor" value={position(standing)} title={`Position in the log; as clients see it: ${standing.cursor ?? "none yet"}`} />
        <Fact name="Last event took" value={took(standing)} title={clocks(skew)} />
        <Fact name="Reconnects" value={`${Math.max(0, standing.connections - 1)}`} />
        <Fact name="Gaps" value={`${standing.gaps}`} title="How often something was missing after all" />
      </dl>
      <div class="buttons">
        <button disabled={!connected} onClick={() => store.follow.drop()}>Drop my connection</button>
        <button disabled={!connected} onClick={() => store.follow.stop(STOP * SECOND)}>Stop for {STOP} s</button>
        <button disabled={comparison === "COMPARING"} onClick={() => void store.follow.compare()}>
          Compare with the server
        </button>
        {comparison && <span class="comparison" role="status">{compared(comparison)}</span>}
      </div>
    </footer>
  );
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }) {
  return <div title={title ?? ""}><dt>{name}</dt><dd>{value}</dd></div>;
}

function Story({ standing }: { standing: Standing }) {
  const { phase, replay, why, since } = standing;
  if (phase === "OVER") return <>{why} Reload the page to begin again.</>;
  if (since !== null) return <Away since={since} why={why} stopped={phase === "STOPPED"} />;
  if (phase === "CATCHING_UP") return <>Back; {events(replay?.count ?? 0)} replayed so far …</>;
  if (replay) return <>Caught up: {events(replay.count)} replayed after {span(replay.back - replay.since)} away.</>;
  return <>{why}</>;
}

function Away({ since, why, stopped }: { since: number; why: string | null; stopped: boolean }) {
  const away = Math.max(0, useClock(SECOND) - since);
  if (!stopped) return <>{why}; away for {span(away)}, coming back …</>;
  return <>Stopped on purpose: back in {Math.max(0, Math.ceil(STOP - away / SECOND))} s.</>;
}

function reading(tasks: number, why: string | null): string {
  return why ?? `Reading the tasks, ${tasks.toLocaleString("en")} so far …`;
}

function events(count: number): string {
  return count === 1 ? "1 event" : `${count} events`;
}

function position({ cursor }: Standing): string {
  return placeOf(cursor)?.position.toLocaleString("en") ?? "–";
}

function took({ latency }: Standing): string {
  if (!latency) return "–";
  if (latency.give === null) return `${Math.round(latency.milliseconds)} ms?`;
  return `${span(latency.milliseconds)} ± ${Math.ceil(latency.give)}`;
}

function clocks(skew: Skew | null): string {
  if (!skew) {
    return "From the server’s clock to this one’s, as they are: how far they are apart is not known before you change something.";
  }
  return (
    `The server’s clock is ${Math.round((skew.least + skew.most) / 2)} ms ahead of this one, give or take ` +
    `${Math.ceil((skew.most - skew.least) / 2)} ms, as your own changes show; that has been taken into account.`
  );
}

function compared(comparison: Comparison | "COMPARING"): string {
  if (comparison === "COMPARING") return "Comparing …";
  if (comparison.differing) return `${comparison.differing} tasks differed, and were mended.`;
  return `All ${comparison.tasks.toLocaleString("en")} tasks are the same.`;
}
