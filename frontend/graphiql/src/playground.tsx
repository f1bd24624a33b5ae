import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
import { GraphiQLProvider } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useState } from "react";
import { Session } from "../../common/session";
import { Bar } from "./bar";
import { Directives } from "./directives";
import { fetcherOf } from "./fetcher";
import type { StreamState } from "./listening";
import { OwnTask } from "./own-task";
import { firstTabs } from "./tabs";

const PLUGINS = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN];

const session = new Session();
const directives = new Directives();

export function Playground() {
  const [stream, setStream] = useState<StreamState | null>(null);
  const [fetcher] = useState(() => fetcherOf(session, directives, setStream));
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      defaultTabs={firstTabs}
      onSchemaChange={directives.show}
      schemaDescription
      inputValueDeprecation
    >
      <HistoryStore>
        <DocExplorerStore>
          <Bar session={session} stream={stream} />
          <OwnTask session={session} />
          <GraphiQLInterface defaultEditorToolsVisibility="variables" showPersistHeadersSettings={false}>
            <GraphiQL.Logo>{null}</GraphiQL.Logo>
          </GraphiQLInterface>
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}
