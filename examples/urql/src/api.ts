// How the page sends requests and receives changes: Graphcache in front of the exchange of the client package.
import { createStream } from "@taskriver/client";
import { taskriverExchange } from "@taskriver/client/urql";
import { cacheExchange } from "@urql/exchange-graphcache";
import { Client } from "urql";

import { cache, session } from "../../common/session";
import { TasksDocument, type MoveTaskMutationVariables, type TaskMovesSubscription, type TasksQuery } from "./gql/graphql";
import schema from "./gql/schema.json";

export const stream = createStream({ session, cache, onResync: readAgain });

const graphcache = cacheExchange({
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
      taskStatusChanged: ({ taskStatusChanged: { __typename, taskId } }: TaskMovesSubscription, _, graphcache) => {
        // Without it the lists that had it are other ones now, and are read again.
        const isGone = __typename === "TaskDeleted" || __typename === "TaskGone";
        if (isGone) graphcache.invalidate({ __typename: "Task", id: taskId! });
      },
    },
  },
});

export const client = new Client({
  url: session.url,
  preferGetMethod: false,
  exchanges: [graphcache, taskriverExchange({ session, stream, cache })],
});

/** The stream cannot continue where it was: read again what was read, and return where the stream stood before. */
async function readAgain(): Promise<string | null> {
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
