// How the page sends requests and receives changes: Graphcache in front of the exchange of the client package.
import { createStream } from "@taskriver/client";
import { taskriverExchange } from "@taskriver/client/urql";
import { cacheExchange } from "@urql/exchange-graphcache";
import { Client } from "urql";

import { cache, session } from "../../common/session";
import { ProjectsDocument, TasksDocument, type MoveTaskMutationVariables, type TaskMovesSubscription, type TasksQuery, type TasksQueryVariables } from "./gql/graphql";
import schema from "./gql/schema.json";

/** The projects whose tasks were listed; null: all tasks. The list of all tasks is read first. */
export const listed = new Set<string | null>([null]);

export const stream = createStream({ session, cache, onResync: readAgain });

const graphcache = cacheExchange({
  schema,
  keys: { TaskConnection: () => null, ProjectConnection: () => null, PageInfo: () => null },
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

/**
 * The stream cannot continue where it was, or the user has joined or left a project: read again what was read, and return where the
 * stream stood before.
 */
async function readAgain(): Promise<string | null> {
  const cursors = [];
  for (const projectId of listed) cursors.push(await readList(projectId));
  await client.query(ProjectsDocument, {}, { requestPolicy: "network-only" });
  return cursors[0] ?? null;
}

async function readList(projectId: string | null): Promise<string | null> {
  const first = await readPage({ projectId });
  let { hasNextPage, endCursor } = first.pageInfo;
  while (hasNextPage && client.readQuery(TasksDocument, { projectId, after: endCursor })) {
    ({ hasNextPage, endCursor } = (await readPage({ projectId, after: endCursor })).pageInfo);
  }
  return first.streamCursor;
}

async function readPage(variables: TasksQueryVariables): Promise<TasksQuery["tasks"]> {
  const { data, error } = await client.query(TasksDocument, variables, { requestPolicy: "network-only" });
  if (!data) throw error;
  return data.tasks;
}
