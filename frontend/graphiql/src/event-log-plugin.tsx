import type { GraphiQLPlugin } from "@graphiql/react";
import { useSyncExternalStore } from "react";
import type { EventLog, LoggedEvent } from "./event-log";

/** The title of the panel. */
export const EVENTS = "Events";

/** A panel with the events that subscriptions received, which stay when another tab is opened. */
export function eventLogPlugin(log: EventLog): GraphiQLPlugin {
  return { title: EVENTS, icon: Icon, content: () => <Panel log={log} /> };
}

export function useEvents(log: EventLog): readonly LoggedEvent[] {
  return useSyncExternalStore(log.subscribe, () => log.events);
}

function Panel({ log }: { log: EventLog }) {
  const events = useEvents(log);
  return (
    <section aria-label="Events" className="event-log">
      <header>
        <h2>Events</h2>
        <button type="button" className="graphiql-button" disabled={!events.length} onClick={() => log.clear()}>
          Clear
        </button>
      </header>
      {!events.length && <p>Events that subscriptions receive are listed here. They stay when you open another tab.</p>}
      <ol>
        {events.map((event) => (
          <li key={event.number}>
            <details>
              <summary>
                <time dateTime={event.at.toISOString()}>{event.at.toLocaleTimeString()}</time> {summaryOf(event)}
              </summary>
              <pre>{JSON.stringify(event.result, null, 2)}</pre>
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The types of the items, such as `TaskStatusChanged`, where the document selects them; else the subscription's name. */
function summaryOf({ operation, result }: LoggedEvent): string {
  const items = Object.values((result.data ?? {}) as Record<string, { __typename?: string } | null>);
  const types = items.map((item) => item?.__typename).filter(Boolean);
  const name = types.join(", ") || operation;
  return result.errors?.length ? `${name} (with errors)` : name;
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" aria-hidden="true">
      <path d="M4 6h11M4 12h16M4 18h8M19 5v2" strokeWidth="1.6" strokeLinecap="round" />
    </svg>
  );
}
