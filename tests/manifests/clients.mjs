// The clients of the three tools send ids only, to a server that requires trusted documents; prints what they got.
import { readFileSync } from "node:fs";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { generatePersistedQueryIdsFromManifest } from "@apollo/persisted-query-lists";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { parse } from "graphql";

const { API_URL: url, API_TOKEN: token } = process.env;
const headers = { authorization: `Bearer ${token}` };
const sent = [];

/** Records what is sent, besides sending it. */
function recorded(address, options) {
  sent.push(decodeURIComponent(`${address} ${options?.body ?? ""}`));
  return fetch(address, options);
}

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const input = { title: "By id" };

/** The documents that graphql-codegen has written, by name. */
function generated() {
  const lines = read("src/gql/graphql.ts").matchAll(/^export const (\w+)Document = (\{.*\}) as unknown as/gm);
  return Object.fromEntries([...lines].map(([, name, document]) => [name, JSON.parse(document)]));
}

async function urql() {
  const documents = generated();
  const persisted = persistedExchange({
    enforcePersistedQueries: true,
    enableForMutation: true,
    generateHash: async (_, document) => document.__meta__?.hash ?? "unknown",
  });
  const client = new Client({
    url, fetch: recorded, fetchOptions: { headers }, exchanges: [persisted, fetchExchange], preferGetMethod: false,
  });
  const me = await client.query(documents.Me, {}).toPromise();
  const created = await client.mutation(documents.CreateTask, { input }).toPromise();
  const other = await client.query(parse("{ me { id } }"), {}).toPromise();
  return { me: me.data.me.username, created: created.data.createTask.task.title, other: codeOf(other.error.graphQLErrors) };
}

/** urql sends `documentId` for documents without definitions, as gql.tada makes them. */
async function urqlById() {
  const [documentId] = Object.keys(JSON.parse(read("src/gql/persisted-documents.json")));
  const client = new Client({ url, fetch: recorded, fetchOptions: { headers }, exchanges: [fetchExchange], preferGetMethod: false });
  const me = await client.query({ kind: "Document", definitions: [], documentId }, {}).toPromise();
  return { me: me.data.me.username };
}

async function apollo() {
  const manifest = JSON.parse(read("persisted-query-manifest.json"));
  const ids = new PersistedQueryLink(generatePersistedQueryIdsFromManifest({ loadManifest: async () => manifest }));
  const http = new HttpLink({ uri: url, fetch: recorded, headers });
  const client = new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.from([ids, http]) });
  const person = read("src/apollo/Person.graphql");
  const me = await client.query({ query: gql(read("src/apollo/Me.graphql") + person) });
  const mutation = gql(read("src/apollo/CreateTask.graphql"));
  const created = await client.mutate({ mutation, variables: { input } });
  return { me: me.data.me.username, created: created.data.createTask.task.title };
}

async function relay() {
  const manifest = JSON.parse(read("persisted_queries.json"));
  const artifact = read("src/relay/__generated__/operationsMeQuery.graphql.js");
  const id = /"id": "([0-9a-f]{32})"/.exec(artifact)[1];
  const post = async (name) => {
    const body = JSON.stringify({ [name]: id, variables: {} });
    const response = await recorded(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
    return (await response.json()).data.me.username;
  };
  return { isInManifest: id in manifest, documentId: await post("documentId"), doc_id: await post("doc_id") };
}

const codeOf = ([error]) => error.extensions.code;
const found = { urql: await urql(), urqlById: await urqlById(), apollo: await apollo(), relay: await relay() };
console.log(JSON.stringify({ ...found, texts: sent.filter((each) => /"query":|query=/.test(each)) }));
