// How the page sends requests and receives changes: Apollo's cache behind the link of the client package.
import { ApolloClient, InMemoryCache } from "@apollo/client";
import { createStream } from "@taskriver/client";
import { createLink, typePolicies } from "@taskriver/client/apollo";

import { cache, session } from "../../common/session";
import { ProjectsDocument, TasksDocument } from "./gql/graphql";
import generated from "./gql/possible-types";

/** The projects whose tasks were listed; null: all tasks. The list of all tasks is read first. */
export const listed = new Set<string | null>([null]);

export const stream = createStream({ session, cache, onResync: readAgain });

export const client = new ApolloClient({
  link: createLink({ session, stream, cache }),
  cache: new InMemoryCache({ possibleTypes: generated.possibleTypes, typePolicies }),
});

/**
 * The stream cannot continue where it was, or the user has joined or left a project: begin the lists again, and return where the stream
 * stood before.
 */
async function readAgain(): Promise<string | null | undefined> {
  const cursors = [];
  for (const projectId of listed) {
    const { data } = await client.query({ query: TasksDocument, variables: { projectId }, fetchPolicy: "network-only" });
    cursors.push(data?.tasks.streamCursor);
  }
  await client.query({ query: ProjectsDocument, fetchPolicy: "network-only" });
  return cursors[0];
}
