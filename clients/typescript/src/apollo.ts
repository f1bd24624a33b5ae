import { ApolloLink, Observable, type FieldPolicy, type Reference, type TypePolicies } from "@apollo/client";
import { print } from "@apollo/client/utilities";

import type { Authorizer, Cache, Stream, StreamItem } from "./index.js";
import { createOrderedExecute } from "./ordered.js";

export interface LinkOptions {
  readonly session: Authorizer;
  /** For subscriptions. */
  readonly stream?: Stream | undefined;
  /** Keeps late responses from overwriting newer values. Give it to `createStream`, too. */
  readonly cache?: Cache | undefined;
}

/**
 * The last link: sends queries, mutations and subscriptions. It replaces `HttpLink`, `GraphQLWsLink` and the links that renew tokens.
 * Each mutation has an idempotency key; `context.idempotencyKey` sets your own. Changes with an
 * `expectedVersion` are sent in order, for each object. Deleted tasks are evicted from Apollo's cache.
 */
export function createLink({ session, stream, cache }: LinkOptions): ApolloLink {
  const execute = createOrderedExecute(session);
  return new ApolloLink((operation) => new Observable((observer) => {
    const { operationName, variables, extensions, operationType } = operation;
    const request = { query: print(operation.query), operationName, variables, extensions };
    if (operationType === "subscription") {
      if (!stream) return observer.error(new TypeError("createLink has no stream for subscriptions."));
      return stream.subscribe(request, {
        next: (result) => {
          observer.next(result as ApolloLink.Result);
          evict(operation, result.data);
        },
        error: (error) => observer.error(error),
        complete: () => observer.complete(),
      });
    }
    const controller = new AbortController();
    const { idempotencyKey = operationType === "mutation" } = operation.getContext() as { idempotencyKey?: string | boolean };
    execute(request, { cache, idempotencyKey, signal: controller.signal }).then(
      (result) => (observer.next(result as ApolloLink.Result), observer.complete()),
      (error) => observer.error(error),
    );
    return () => controller.abort();
  }));
}

function evict({ client: { cache } }: ApolloLink.Operation, data: unknown): void {
  for (const item of Object.values((data ?? {}) as Record<string, StreamItem | null>)) {
    if (!item?.taskId || !/^Task(Deleted|Gone)$/.test(item.__typename ?? "")) continue;
    cache.evict({ id: cache.identify({ __typename: "Task", id: item.taskId })! });
    cache.gc();
  }
}

interface Edge {
  readonly node?: Reference;
}

interface Connection {
  readonly edges?: readonly Edge[];
  readonly nodes?: readonly Reference[];
  readonly pageInfo?: Readonly<Record<string, unknown>>;
}

/**
 * The policy of a connection. Lists with different values of *keyArgs* are different lists. A page is added where it continues
 * the list; one that arrives twice, or after the list was read again, is ignored. Fields beside the pages, such as `streamCursor`, are
 * those of the first page.
 */
export function connection(keyArgs: string[] | false = false): FieldPolicy<Connection> {
  return {
    keyArgs,
    merge(existing, incoming, { args }) {
      const { after, before } = args ?? {};
      if (!existing || (!after && !before)) return incoming;
      const [end, hasMore] = before ? ["startCursor", "hasPreviousPage"] : ["endCursor", "hasNextPage"];
      const { pageInfo = {} } = existing;
      if (pageInfo[end!] !== (before || after)) return existing;
      const next = incoming.pageInfo ?? {};
      const joined = <T>(known: readonly T[] = [], added: readonly T[] = []) => (before ? [...added, ...known] : [...known, ...added]);
      return {
        ...incoming, ...existing,
        ...(existing.edges && { edges: joined(existing.edges, incoming.edges) }),
        ...(existing.nodes && { nodes: joined(existing.nodes, incoming.nodes) }),
        pageInfo: { ...pageInfo, [end!]: next[end!], [hasMore!]: next[hasMore!] },
      };
    },
    read(existing, { canRead, readField }) {
      if (!existing) return existing;
      const { edges, nodes } = existing;
      const nodeOf = (edge: Edge) => readField<Reference>("node", edge as never);
      return {
        ...existing,
        ...(edges && { edges: readable(edges, nodeOf, canRead) }),
        ...(nodes && { nodes: readable(nodes, (node) => node, canRead) }),
      };
    },
  };
}

/** Without what was deleted. What has moved to a later page, between the reading of two pages, is listed once. */
function readable<T>(list: readonly T[], nodeOf: (each: T) => Reference | undefined, canRead: (node: Reference) => boolean): T[] {
  const seen = new Set<unknown>();
  return list.filter((each) => {
    const node = nodeOf(each);
    const key = node?.__ref ?? node;
    return canRead(node as Reference) && !seen.has(key) && seen.add(key);
  });
}

/** The policies of this API's lists and subscriptions, for `InMemoryCache`. */
export const typePolicies: TypePolicies = {
  Query: {
    fields: {
      tasks: connection(["filter", "orderBy"]),
      users: connection(["search"]),
      projects: connection(["isArchived"]),
      auditLog: connection(["filter"]),
      invitations: connection(["projectId"]),
      trash: connection(["projectId"]),
    },
  },
  Project: { fields: { labels: connection(), members: connection() } },
  Task: { fields: { comments: connection(), history: connection(), labels: connection(), subtasks: connection() } },
  // Items follow one another; they are not merged.
  Subscription: { fields: { commentChanged: { merge: false }, taskChanged: { merge: false }, taskStatusChanged: { merge: false } } },
};
