// Subscribes with resumable.mjs, and prints what it receives; tests/examples/node_resumable.py controls it.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { createResumableClient } from '../../examples/resumable/resumable.mjs';

const WebSocket = createRequire(new URL('../../examples/resumable/', import.meta.url))('ws');
const { url, query, after, silence, longestPause } = JSON.parse(process.argv[2]);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what) => console.log(JSON.stringify(what));
const ask = async (what) => (say(what), (await answers.next()).value);

const client = createResumableClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  silence,
  longestPause,
  accessToken: (refresh) => ask({ kind: 'token', refresh }),
  onResync: async ({ reason }) => (await ask({ kind: 'resync', reason })) || undefined,
});

try {
  for await (const { data } of client.iterate({ query, variables: { after } })) say({ kind: 'item', to: data.taskStatusChanged.to });
} catch (error) {
  say({ kind: 'failed', why: `${error.code ?? error}` });
  process.exit(1);
}
