import { useEffect, useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import { fromInput } from "../../../common/ui/times";
import { read } from "../api/api";
import { AuditLogDocument, UserNameDocument, type AuditAction, type AuditFilter, type AuditLogQuery } from "../api/gql/graphql";
import { ACTIONS, detailsOf, withoutUser } from "./audit";
import { usePages } from "./paging";
import { Panel, Waiting } from "./Panel";
import { Time } from "./Time";

type Entry = NonNullable<AuditLogQuery["auditLog"]>["nodes"][number];

const PAGE = 50;

/** The audit log, for admins. The address has the filter by user, so that other pages can link to it. */
export function AuditPage({ session }: { session: Session }) {
  const [actor, setActor] = useState(new URLSearchParams(location.search).get("actor"));
  const [action, setAction] = useState<AuditAction | "">("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const filter: AuditFilter = {
    actorId: actor, action: action || null, from: from ? fromInput(from) : null, to: to ? fromInput(to) : null,
  };
  const pages = usePages(async (after) => (await read(session, AuditLogDocument, { first: PAGE, after, filter })).auditLog, JSON.stringify(filter));
  const name = useName(session, actor);
  const by = (id: string | null) => {
    history.replaceState(null, "", id === null ? "/admin/audit" : `/admin/audit?actor=${encodeURIComponent(id)}`);
    setActor(id);
  };

  return (
    <Panel title="Audit log">
      <form class="filters" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
        <label>
          What was done
          <select value={action} onChange={(event) => setAction(event.currentTarget.value as AuditAction | "")}>
            <option value="">Everything</option>
            {Object.entries(ACTIONS).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </label>
        <label>From<input type="datetime-local" value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></label>
        <label>Before<input type="datetime-local" value={to} onInput={(event) => setTo(event.currentTarget.value)} /></label>
      </form>
      {actor !== null && (
        <p class="note by">By {name ?? "one user"} only. <button class="quiet" onClick={() => by(null)}>Show all users</button></p>
      )}
      {pages.nodes === null || pages.problem ? <Waiting problem={pages.problem} onRetry={pages.again} /> : (
        <>
          {!pages.nodes.length && <p class="about" role="status">There are no such entries.</p>}
          <ol class="rows entries">{pages.nodes.map((entry) => <Line key={entry.id} entry={entry} onActor={by} />)}</ol>
          {pages.more && <p><button aria-disabled={pages.busy} onClick={pages.more}>Show more</button></p>}
        </>
      )}
    </Panel>
  );
}

function Line({ entry, onActor }: { entry: Entry; onActor: (id: string) => void }) {
  const { actor, actorName, subjectName, ipAddress, times } = entry;
  const details = detailsOf(entry.details);
  const who = actorName ?? withoutUser(entry.action);
  return (
    <li>
      <div class="what">
        <b>{ACTIONS[entry.action] ?? entry.action}</b>
        {subjectName && subjectName !== actorName && <> {subjectName}</>}
        {times > 1 && <span class="tag">{times} times</span>}
        <small>
          {actor ? <button class="quiet" onClick={() => onActor(actor.id)} aria-label={`Only what ${who} did`}>{who}</button> : who}
          {" · "}<Time at={entry.at} form="exact" />
          {entry.lastAt && <> to <Time at={entry.lastAt} form="exact" /></>}
          {ipAddress && ` · ${ipAddress}`}
        </small>
        {details && <small class="details">{details}</small>}
      </div>
    </li>
  );
}

function useName(session: Session, id: string | null): string | null {
  const [name, setName] = useState<string | null>(null);
  useEffect(() => {
    let isCurrent = true;
    setName(null);
    if (id !== null) {
      void read(session, UserNameDocument, { id }).then(({ user }) => isCurrent && setName(user?.username ?? null), () => {});
    }
    return () => {
      isCurrent = false;
    };
  }, [id]);
  return name;
}
