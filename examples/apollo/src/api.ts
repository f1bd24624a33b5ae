// How the page sends requests and receives changes: Apollo's cache behind the link of the client package.
import { ApolloClient, InMemoryCache } from "@apollo/client";
import { createStream } from "@taskriver/client";
import { createLink, typePolicies } from "@taskriver/client/apollo";

import { cache, session } from "../../common/session";
import { TasksDocument } from "./gql/graphql";
import generated from "./gql/possible-types";

export const stream = createStream({ session, cache, onResync: readAgain });

export const client = new ApolloClient({
  link: createLink({ session, stream, cache }),
  cache: new InMemoryCache({ possibleTypes: generated.possibleTypes, typePolicies }),
});

/** The stream cannot continue where it was: begin the list again, and return where the stream stood before. */
async function readAgain(): Promise<string | null | undefined> {
  const { data } = await client.query({ query: TasksDocument, fetchPolicy: "network-only" });
  return data?.tasks.streamCursor;
}
