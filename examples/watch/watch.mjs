// Watches tasks change their status, and survives restarts and cut connections without missing one.
//   npm install graphql-ws ws && node watch.mjs alice Taskriver-1
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [username = 'alice', password = 'Taskriver-1', url = 'http://127.0.0.1:8000/graphql'] = process.argv.slice(2);

const ask = async (query, variables) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()).data;
};

const signIn = async () => {
  const { login } = await ask(
    `mutation ($input: LoginInput!) {
      login(input: $input) { accessToken userErrors { message } }
    }`,
    { input: { username, password } },
  );
  if (!login.accessToken) throw new Error(login.userErrors[0].message);
  return login.accessToken;
};

const client = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  retryAttempts: Infinity,
  connectionParams: async () => ({ authorization: `Bearer ${await signIn()}` }),
});

// On a reconnect the client sends this very object again: what `after` holds by then is where it goes on.
const variables = { after: null };
const query = `subscription ($after: String) {
  taskStatusChanged(after: $after) {
    cursor at task { title } ... on TaskStatusChanged { from to by { username } }
  }
}`;

console.log(`Watching ${url} as ${username}; Ctrl-C stops.`);
for await (const { data, errors } of client.iterate({ query, variables })) {
  if (errors) throw new Error(errors[0].message);
  const { cursor, at, task, from, to, by } = data.taskStatusChanged;
  variables.after = cursor;
  if (to) console.log(`${at}  ${from} → ${to}  ${task.title}  (${by?.username ?? 'operator'})`);
}
