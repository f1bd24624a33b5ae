import type { Session } from "@taskriver/client";
import { read } from "../api/api";
import { AccountDocument } from "../api/gql/graphql";
import { Panel, Waiting } from "./Panel";
import { PasswordPanel } from "./PasswordPanel";
import { SessionsPanel } from "./SessionsPanel";
import { Time } from "./Time";
import { TokensPanel } from "./TokensPanel";
import { useLoad } from "./use";

/** Who the viewer is, and where they are signed in. */
export function AccountPage({ session }: { session: Session }) {
  const { data, problem, reload } = useLoad(() => read(session, AccountDocument, {}));
  if (!data) return <Waiting problem={problem} onRetry={() => void reload()} />;
  const { me } = data;
  return (
    <>
      <p class="problem" role="alert">{problem}</p>
      <Panel title="Profile">
        <dl class="facts">
          <div><dt>Name</dt><dd>{me.username}</dd></div>
          <div><dt>E-mail</dt><dd>{me.email}</dd></div>
          <div><dt>Role</dt><dd>{me.role.toLowerCase()}</dd></div>
          <div><dt>Member since</dt><dd><Time at={me.createdAt} form="day" /></dd></div>
        </dl>
      </Panel>
      <PasswordPanel session={session} username={me.username} onChanged={() => void reload()} />
      <SessionsPanel session={session} sessions={data.sessions} onChanged={reload} />
      <TokensPanel session={session} tokens={data.accessTokens} role={me.role} onChanged={reload} />
    </>
  );
}
