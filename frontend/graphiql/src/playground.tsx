import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
import { GraphiQLProvider } from "@graphiql/react";
import { createSession } from "@taskriver/client";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useState } from "react";
import { Bar } from "./bar";
import { Directives } from "./directives";
import { EventLog } from "./event-log";
import { eventLogPlugin } from "./event-log-plugin";
import { fetcherOf } from "./fetcher";
import { operationIn } from "./link";
import type { StreamState } from "./listening";
import { OwnTask } from "./own-task";
import { ShareButton } from "./share-button";
import { firstTabs } from "./tabs";

const log = new EventLog();
const PLUGINS = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN, eventLogPlugin(log)];
/** A link opens in a tab of its own. It is not run: that is for the person who opens it to decide. */
const linked = operationIn(location.search);

const session = createSession({ url: "/graphql" });
const directives = new Directives();

export function Playground() {
  const [stream, setStream] = useState<StreamState | null>(null);
  const [notice, setNotice] = useState("");
  const [fetcher] = useState(() => fetcherOf(session, directives, log, setStream));
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      defaultTabs={linked ? [linked, ...firstTabs] : firstTabs}
      {...(linked && { initialQuery: linked.query, initialVariables: linked.variables })}
      onSchemaChange={directives.show}
      schemaDescription
      inputValueDeprecation
    >
      <HistoryStore>
        <DocExplorerStore>
          <Bar session={session} stream={stream} notice={notice} log={log} />
          <OwnTask session={session} />
          <GraphiQLInterface defaultEditorToolsVisibility="variables" showPersistHeadersSettings={false}>
            <GraphiQL.Logo>{null}</GraphiQL.Logo>
            <GraphiQL.Toolbar>
              {({ prettify, copy, merge }) => (
                <>
                  {prettify}
                  {merge}
                  {copy}
                  <ShareButton onNotice={setNotice} />
                </>
              )}
            </GraphiQL.Toolbar>
          </GraphiQLInterface>
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}
