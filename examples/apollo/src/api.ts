// How the page asks and listens: Apollo's cache, tokens that renew themselves, and subscriptions that resume.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { from, map, mergeMap } from "rxjs";

import { createResumableClient } from "../../resumable/resumable.mjs";
import { forgetVersions, newestOf } from "../../common/newest";
import { accessToken, API, SOCKET } from "../../common/session";
import { TasksDocument } from "./gql/graphql";
import generated from "./gql/possible-types";

let used: string;
export const stream = createResumableClient({
  url: SOCKET,
  accessToken: async (refused) => (used = await accessToken(refused ? used : undefined)),
  onResync: readAgain,
});

const authorize = new SetContextLink(async ({ headers }) => {
  const token = await accessToken();
  return { token, headers: { ...headers, authorization: `Bearer ${token}` } };
});

/** What was refused for its token is asked again with another one, once. */
const renew = new ErrorLink(({ error, operation, forward }) => {
  const { token, renewed } = operation.getContext();
  if (renewed || !isUnauthenticated(error)) return;
  operation.setContext({ renewed: true });
  return from(accessToken(token)).pipe(mergeMap(() => forward(operation)));
});

function isUnauthenticated(error: unknown): boolean {
  return CombinedGraphQLErrors.is(error) && error.errors.some(({ extensions }) => extensions?.["code"] === "UNAUTHENTICATED");
}

const newest = new ApolloLink((operation, forward) =>
  forward(operation).pipe(map((result) => ({ ...result, data: newestOf(result.data) }))),
);
const asking = ApolloLink.from([renew, authorize, new HttpLink({ uri: API, credentials: "include" })]);
const listening = new GraphQLWsLink(stream);

export const client = new ApolloClient({
  link: newest.concat(ApolloLink.split(({ operationType }) => operationType === "subscription", listening, asking)),
  cache: new InMemoryCache({
    possibleTypes: generated.possibleTypes,
    typePolicies: {
      Query: { fields: { tasks: relayStylePagination() } },
      Subscription: { fields: { taskStatusChanged: { merge: false } } },
    },
  }),
});

/** The stream cannot go on where it was: begin the list anew, and say where the stream stood before. */
async function readAgain(): Promise<string | null | undefined> {
  forgetVersions();
  const { data } = await client.query({ query: TasksDocument, fetchPolicy: "network-only" });
  return data?.tasks.streamCursor;
}
