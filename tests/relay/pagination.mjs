// Pagination as react-relay does it, with relay-runtime alone: the store merges the pages into one connection.
import relay from "relay-runtime";

const { Environment, Network, RecordSource, Store } = relay;
const { createOperationDescriptor, fetchQuery, getSingularSelector } = relay;
const { getPaginationMetadata, getPaginationVariables, getRefetchMetadata } = relay;

/** An environment that sends operations to a server by POST, and notes their variables in `sent`. */
export function environmentOf(url, token) {
  const sent = [];
  const send = async ({ text, name }, variables) => {
    sent.push({ name, variables });
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: text, operationName: name, variables }),
    });
    const answer = await response.json();
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    return answer;
  };
  const environment = new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });
  return Object.assign(environment, { sent });
}

/** A fragment with a connection, as a component has it after its first query. */
export class PaginationFragment {
  static async load(environment, query, fragment, variables, reference = (data) => data) {
    const operation = await fetched(environment, query, variables);
    const { data } = environment.lookup(operation.fragment);
    return new PaginationFragment(environment, fragment, getSingularSelector(fragment, reference(data)));
  }

  constructor(environment, fragment, selector) {
    Object.assign(this, { environment, fragment, selector });
  }

  get data() {
    return this.environment.lookup(this.selector).data;
  }

  get connection() {
    const { connectionPathInFragmentData: path } = getPaginationMetadata(this.fragment, "pagination");
    return path.reduce((value, key) => value[key], this.data);
  }

  get nodes() {
    return this.connection.edges.map((edge) => edge.node);
  }

  loadNext(count) {
    return this.#load("forward", count, this.connection.pageInfo.endCursor);
  }

  loadPrevious(count) {
    return this.#load("backward", count, this.connection.pageInfo.startCursor);
  }

  /** Reads the fragment anew with other arguments, by the query that the compiler made for it. */
  async refetch(variables) {
    const { refetchableRequest, fragmentRefPathInResponse: path, identifierInfo } = getRefetchMetadata(this.fragment, "refetch");
    const identity = identifierInfo ? { [identifierInfo.identifierQueryVariableName]: this.data[identifierInfo.identifierField] } : {};
    const all = { ...this.selector.variables, ...this.selector.owner.variables, ...variables, ...identity };
    const operation = await fetched(this.environment, refetchableRequest, all);
    const data = path.reduce((value, key) => value[key], this.environment.lookup(operation.fragment).data);
    this.selector = getSingularSelector(this.fragment, data);
  }

  async #load(direction, count, cursor) {
    const { paginationRequest, paginationMetadata, identifierInfo } = getPaginationMetadata(this.fragment, "pagination");
    const base = { ...this.selector.owner.variables, ...this.selector.variables };
    const variables = getPaginationVariables(direction, count, cursor, base, {}, paginationMetadata);
    if (identifierInfo) variables[identifierInfo.identifierQueryVariableName] = this.data[identifierInfo.identifierField];
    await fetched(this.environment, paginationRequest, variables);
  }
}

async function fetched(environment, request, variables) {
  await fetchQuery(environment, request, variables, { fetchPolicy: "network-only" }).toPromise();
  const operation = createOperationDescriptor(request, variables);
  environment.retain(operation);
  return operation;
}
