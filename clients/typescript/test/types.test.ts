// The declarations of the package, as strict programs see them.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = new URL("..", import.meta.url).pathname;
const LIBRARIES = ["react", "@types", "graphql", "@apollo", "@urql", "wonka", "rxjs", "csstype", "undici-types"];
const HANG = 120_000;

const BROWSER = `
import { ask, createCache, createSession, createStream, RequestError, type Authorizer, type TokenStorage } from "@taskriver/client";
import { createLink, typePolicies } from "@taskriver/client/apollo";
import { createChangeQueue, mergeChanges } from "@taskriver/client/changes";
import { useSession, useStream } from "@taskriver/client/react";
import { taskriverExchange } from "@taskriver/client/urql";
import { gql } from "@urql/core";

declare const text: string | undefined;
declare const count: number | undefined;
const storage: TokenStorage = { get: async () => text, set: async () => {} };
const session = createSession({ url: "/graphql", credentials: storage, timeout: count, fetch: undefined });
const cache = createCache({ maxEntities: count, maxDeleted: count });
const stream = createStream({ session, cache, onResync: async () => {}, minDelay: count, idleTimeout: count, url: text, webSocket: undefined });
const own: Authorizer = { url: "x", timeout: count, credentials: undefined, subscribe: undefined, authorize: async () => null };
const options = { timeout: count, signal: undefined, cache: undefined, idempotencyKey: text, headers: undefined, retries: count };
void ask<{ a: number }>(own, { query: "{ a }", variables: undefined, operationName: undefined }, options).then(({ a }) => a.toFixed());

interface Variables { after: string | null }
const variables: Variables = { after: null };
stream.subscribe<{ x: 1 }, Variables>({ query: "subscription", variables }, { next: ({ data }) => data?.x, error: undefined, complete: undefined });
for await (const { errors } of stream.iterate({ query: "s" })) if (errors?.[0]?.message) break;
const document = gql<{ q: number }, { id: string }>("query ($id: ID!) { q }");
void ask(session, { query: document, variables: { id: "1" } }).then(({ q }) => q.toFixed());
// @ts-expect-error The variables are those of the document.
void ask(session, { query: document, variables: { id: 1 } });
mergeChanges({ a: 1 }, { a: 2 }, { a: 1 }).changes.a?.toFixed();
createChangeQueue(session), createChangeQueue(undefined);
createLink({ session, stream: undefined, cache: undefined }), taskriverExchange({ session, stream: undefined, cache: undefined });
useStream(stream, null, { next: undefined, error: undefined });
useStream<{ x: 1 }, Variables>(stream, { query: "s", variables }, { next: ({ data }) => data?.x });
useSession(session).user?.username.trim();
new RequestError("X", "y", { retryAfter: undefined }).code.trim(), typePolicies;
`;

/** Without the types of a browser. */
const NODE = `
import { ask, createSession, createStream } from "@taskriver/client";
const session = createSession({ url: "http://localhost/graphql", credentials: { get: () => null, set: () => {} } });
void ask(session, { query: "{ a }" });
createStream({ session }).dispose();
session.credentials.trim(), session.timeout.toFixed();
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "taskriver-types-"));
  const target = join(folder, "node_modules/@taskriver/client");
  mkdirSync(target, { recursive: true });
  for (const name of LIBRARIES) symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  tsc(ROOT, "--project", "tsconfig.build.json", "--outDir", join(target, "dist"));
  cpSync(join(ROOT, "package.json"), join(target, "package.json"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
}, HANG);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the compiler says. */
function tsc(cwd: string, ...options: string[]): string {
  try {
    return execFileSync(join(ROOT, "node_modules/.bin/tsc"), options, { cwd, encoding: "utf8" });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

function compiled(program: string, options: object): string {
  const compilerOptions = { target: "es2022", strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true, noEmit: true, ...options };
  writeFileSync(join(folder, "program.ts"), program);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  return tsc(folder, "--project", folder);
}

test.each([["esnext", "bundler"], ["node16", "node16"], ["nodenext", "nodenext"]])("A strict page compiles with module %s.", (module, moduleResolution) => {
  expect(compiled(BROWSER, { module, moduleResolution, lib: ["es2023", "dom"], types: [], skipLibCheck: true })).toBe("");
}, HANG);

test("A strict program for Node compiles without the types of a browser, also with the declarations checked.", () => {
  expect(compiled(NODE, { module: "node16", moduleResolution: "node16", lib: ["es2023"], types: ["node"], skipLibCheck: false })).toBe("");
}, HANG);
