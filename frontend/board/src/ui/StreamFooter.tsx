import { useState } from "preact/hooks";

import type { Store } from "../board/store";
import type { Phase, Standing } from "../stream/standing";
import { Links } from "../../../common/ui/Links";
import { StreamDetails } from "./StreamDetails";
import { span } from "../../../common/ui/times";
import { useClock } from "../../../common/ui/use";

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

/** Whether the board is live; more on demand. */
export function StreamFooter({ store, onShortcuts }: { store: Store; onShortcuts: () => void }) {
  const { standing, loaded, board } = store.state;
  const [open, setOpen] = useState(false);
  return (
    <footer class={`stream ${standing.phase}`} aria-label="Connection">
      <p class="phase" role="status"><span class="lamp" /> {PHASES[standing.phase]}</p>
      <p class="story">{loaded ? <Story standing={standing} /> : reading(board.tasks.size, standing.why)}</p>
      <div class="more-buttons">
        <Links class="links" />
        <button class="quiet" aria-keyshortcuts="?" onClick={onShortcuts}>Shortcuts <kbd>?</kbd></button>
        <button
          class="quiet" aria-expanded={open} aria-controls="stream-details" onClick={() => setOpen((now) => !now)}
        >
          Details
        </button>
      </div>
      {open && <StreamDetails store={store} stop={STOP} />}
    </footer>
  );
}

function Story({ standing }: { standing: Standing }) {
  const { phase, replay, why, since } = standing;
  if (phase === "OVER") return <>{why} Reload the page to connect again.</>;
  if (since !== null) return <Away since={since} why={why} stopped={phase === "STOPPED"} />;
  if (phase === "CATCHING_UP") return <>Back; {events(replay?.count ?? 0)} replayed so far …</>;
  if (replay) return <>Caught up: {events(replay.count)} replayed after {span(replay.back - replay.since)} away.</>;
  return <>{why}</>;
}

function Away({ since, why, stopped }: { since: number; why: string | null; stopped: boolean }) {
  const away = Math.max(0, useClock(SECOND) - since);
  if (!stopped) return <>{why}; away for {span(away)}, reconnecting …</>;
  return <>Stopped on purpose: back in {Math.max(0, Math.ceil(STOP - away / SECOND))} s.</>;
}

function reading(tasks: number, why: string | null): string {
  return why ?? `Reading the tasks, ${tasks.toLocaleString("en")} so far …`;
}

function events(count: number): string {
  return count === 1 ? "1 event" : `${count} events`;
}
