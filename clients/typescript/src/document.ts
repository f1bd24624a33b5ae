/** The types of a document, as `graphql-codegen` writes them (`DocumentTypeDecoration` of `@graphql-typed-document-node/core`). */
export interface DocumentTypes<TData, TVariables> {
  __apiType?: (variables: TVariables) => TData;
}

/**
 * A GraphQL document: a string, a `TypedDocumentString`, or a `TypedDocumentNode` that still has its source.
 * The core cannot print a syntax tree; use `documentMode: "string"` in graphql-codegen.
 */
export type Document<TData = unknown, TVariables = Record<string, unknown>> = string | DocumentObject<TData, TVariables>;

type DocumentObject<TData, TVariables> = DocumentTypes<TData, TVariables> &
  ({ toString(): string } | { readonly loc?: { readonly source: { readonly body: string } } });

/** The text of a document. Throws a `TypeError` if it has none. */
export function textOf(document: string | object): string {
  if (typeof document === "string") return document;
  const source = (document as { loc?: { source: { body: string } } }).loc?.source.body;
  const text = source ?? (document instanceof String ? document.toString() : undefined);
  if (text !== undefined) return text;
  throw new TypeError('No text: set documentMode "string" in graphql-codegen.');
}

/** A request, whatever its types are. */
export interface AnyRequest {
  readonly query: string | object;
  readonly variables?: unknown;
  readonly operationName?: string | null | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}
