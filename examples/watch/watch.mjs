// Watches tasks change their status, and survives restarts and cut connections without missing one.
//   npm install ws && node watch.mjs alice Taskriver-1   (with resumable.mjs beside this file)
import WebSocket from 'ws';

import { createResumableClient } from './resumable.mjs';

const [username = 'alice', password = 'Taskriver-1', url = 'http://127.0.0.1:8000/graphql'] = process.argv.slice(2);

const ask = async (query, variables, token) => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return (await response.json()).data;
};

let token;

const signIn = async () => {
  const { login } = await ask(
    `mutation ($input: LoginInput!) {
      login(input: $input) { accessToken userErrors { message } }
    }`,
    { input: { username, password } },
  );
  if (!login.accessToken) throw Object.assign(new Error(login.userErrors[0].message), { fatal: true });
  return (token = login.accessToken);
};

// What a page shows first, and where the stream stood before it was read.
const readLists = async () => (await ask('{ tasks(first: 1) { totalCount streamCursor } }', {}, token)).tasks;

await signIn();
const { totalCount, streamCursor } = await readLists();

const client = createResumableClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  accessToken: (refresh) => (refresh ? signIn() : token),
  onResync: async ({ reason }) => {
    console.log(`What came before is lost (${reason}): reading the lists again.`);
    return (await readLists()).streamCursor;
  },
});

const query = `subscription ($after: String) {
  taskStatusChanged(after: $after) {
    __typename cursor at task { title } ... on TaskStatusChanged { from to by { username } }
  }
}`;

console.log(`Watching ${totalCount} tasks at ${url} as ${username}; Ctrl-C stops.`);
for await (const { data, errors } of client.iterate({ query, variables: { after: streamCursor } })) {
  if (errors) throw new Error(errors[0].message);
  const { at, task, from, to, by } = data.taskStatusChanged;
  if (to) console.log(`${at}  ${from} → ${to}  ${task?.title ?? '(deleted since)'}  (${by?.username ?? 'operator'})`);
}
