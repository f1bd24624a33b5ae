// How the page asks and listens: urql with a normalised cache, and subscriptions that resume.
import { authExchange } from "@urql/exchange-auth";
import { cacheExchange } from "@urql/exchange-graphcache";
import { Client, fetchExchange, makeOperation, mapExchange, subscriptionExchange } from "urql";

import { createResumableClient } from "../../resumable/resumable.mjs";
import { forgetVersions, newestOf } from "../../common/newest";
import { accessToken, API, SOCKET, token } from "../../common/session";
import { TasksDocument, type MoveTaskMutationVariables, type TaskMovesSubscription, type TasksQuery } from "./gql/graphql";
import schema from "./gql/schema.json";

let used: string;
export const stream = createResumableClient({
  url: SOCKET,
  accessToken: async (refused) => (used = await accessToken(refused ? used : undefined)),
  onResync: readAgain,
});

const auth = authExchange(async () => {
  let refused: string | null;
  return {
    addAuthToOperation: (operation) =>
      makeOperation(operation.kind, operation, {
        ...operation.context,
        token,
        fetchOptions: { credentials: "include", headers: { authorization: `Bearer ${token}` } },
      }),
    didAuthError: ({ graphQLErrors }, { context }) => {
      refused = context["token"];
      return graphQLErrors.some(({ extensions }) => extensions["code"] === "UNAUTHENTICATED");
    },
    refreshAuth: async () => void (await accessToken(refused)),
  };
});

const cache = cacheExchange({
  schema,
  keys: { TaskConnection: () => null, PageInfo: () => null },
  optimistic: {
    // A refusal has no task: then this is taken back, and what was there before shows again.
    updateTaskStatus: ({ input }) => {
      const { id, status } = input as MoveTaskMutationVariables["input"];
      return { __typename: "UpdateTaskStatusPayload", userErrors: [], task: { __typename: "Task", id, status } };
    },
  },
  updates: {
    Subscription: {
      taskStatusChanged: ({ taskStatusChanged: item }: TaskMovesSubscription, _, cache) => {
        // Without it the lists that had it are other ones now, and are read again.
        if (item.__typename !== "TaskStatusChanged") cache.invalidate({ __typename: "Task", id: item.taskId! });
      },
    },
  },
});

export const client = new Client({
  url: API,
  preferGetMethod: false,
  exchanges: [
    cache,
    mapExchange({ onResult: (result) => ({ ...result, data: newestOf(result.data) }) }),
    auth,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query = "", variables }) => ({
        subscribe: (sink) => ({ unsubscribe: stream.subscribe({ query, variables: { ...variables } }, sink) }),
      }),
    }),
  ],
});

/** The stream cannot go on where it was: read again what was read, and say where the stream stood before. */
async function readAgain(): Promise<string | null> {
  forgetVersions();
  const first = await readPage();
  let { hasNextPage, endCursor } = first.pageInfo;
  while (hasNextPage && client.readQuery(TasksDocument, { after: endCursor })) {
    ({ hasNextPage, endCursor } = (await readPage(endCursor)).pageInfo);
  }
  return first.streamCursor;
}

async function readPage(after?: string | null): Promise<TasksQuery["tasks"]> {
  const { data, error } = await client.query(TasksDocument, { after }, { requestPolicy: "network-only" });
  if (!data) throw error;
  return data.tasks;
}
