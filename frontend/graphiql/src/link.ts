/** An operation as the address of the page holds it: `/graphql?query=…&variables=…&operationName=…`. */
export interface LinkedOperation {
  readonly query: string;
  /** JSON, as the editor shows it; empty: none. */
  readonly variables: string;
  readonly operationName?: string | null;
}

/** Browsers and proxies cut longer addresses. */
const MAX_LENGTH = 8_000;
const SECRET = /password|token|secret/i;

/** The operation in the query part of an address; null: there is none. */
export function operationIn(search: string): LinkedOperation | null {
  const parameters = new URLSearchParams(search);
  const query = parameters.get("query");
  if (!query?.trim()) return null;
  return { query, variables: formatted(parameters.get("variables")), operationName: parameters.get("operationName") };
}

/**
 * An address that opens the page with an operation. Values of variables whose names say password, token or secret are
 * left out: addresses are kept in histories and logs. Null: the address would be too long.
 */
export function linkTo(operation: LinkedOperation, page: string): string | null {
  const url = new URL(page);
  url.search = "";
  url.hash = "";
  url.searchParams.set("query", operation.query);
  const variables = compact(operation.variables);
  if (variables) url.searchParams.set("variables", variables);
  if (operation.operationName) url.searchParams.set("operationName", operation.operationName);
  return url.href.length > MAX_LENGTH ? null : url.href;
}

function formatted(variables: string | null): string {
  if (!variables?.trim()) return "";
  const value = parsed(variables);
  return value === undefined ? variables : JSON.stringify(value, null, 2);
}

function compact(variables: string): string {
  if (!variables.trim()) return "";
  const value = parsed(variables, (name, each) => (SECRET.test(name) && typeof each === "string" ? "" : each));
  return value === undefined || isEmpty(value) ? "" : JSON.stringify(value);
}

function parsed(text: string, reviver?: (name: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    return undefined;
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && (value === null || Object.keys(value).length === 0);
}
