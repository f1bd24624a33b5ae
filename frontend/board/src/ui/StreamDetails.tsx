import type { Comparison } from "../board/state";
import type { Store } from "../board/store";
import type { Skew } from "../stream/clock";
import { placeOf } from "../stream/position";
import type { Standing } from "../stream/standing";
import { span } from "../../../common/ui/times";

const SECOND = 1_000;

/** Figures of the connection, and buttons to try it out. */
export function StreamDetails({ store, stop }: { store: Store; stop: number }) {
  const { standing, skew, comparison } = store.state;
  const connected = standing.phase === "LIVE" || standing.phase === "CATCHING_UP";
  return (
    <div class="details" id="stream-details">
      <dl>
        <Fact name="Transport" value="graphql-transport-ws" />
        <Fact name="Cursor" value={position(standing)} title={`Position in the log; as clients see it: ${standing.cursor ?? "none yet"}`} />
        <Fact name="Last event took" value={took(standing)} title={clocks(skew)} />
        <Fact name="Reconnects" value={`${Math.max(0, standing.connections - 1)}`} />
        <Fact name="Gaps" value={`${standing.gaps}`} title="How often something was missing after all" />
      </dl>
      <div class="buttons">
        <button disabled={!connected} onClick={() => store.follow.drop()}>Drop my connection</button>
        <button disabled={!connected} onClick={() => store.follow.stop(stop * SECOND)}>Stop for {stop} s</button>
        <button disabled={comparison === "COMPARING"} onClick={() => void store.follow.compare()}>
          Compare with the server
        </button>
        {comparison && <span class="comparison" role="status">{compared(comparison)}</span>}
      </div>
    </div>
  );
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }) {
  return <div title={title ?? ""}><dt>{name}</dt><dd>{value}</dd></div>;
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
    return "Measured between the server’s clock and this one’s. How far they are apart is known after your first change.";
  }
  return (
    `The server’s clock is ${Math.round((skew.least + skew.most) / 2)} ms ahead of this one, ± ` +
    `${Math.ceil((skew.most - skew.least) / 2)} ms, as your own changes show. The figure is corrected by that.`
  );
}

function compared(comparison: Comparison | "COMPARING"): string {
  if (comparison === "COMPARING") return "Comparing …";
  if (comparison.differing) return `${comparison.differing} tasks differed, and were corrected.`;
  return `All ${comparison.tasks.toLocaleString("en")} tasks are the same.`;
}
