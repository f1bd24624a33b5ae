import { makeErrorResult, makeResult, stringifyDocument, type Exchange, type Operation, type OperationResult } from "@urql/core";
import { filter, make, merge, mergeMap, pipe, share, takeUntil, type Source } from "wonka";

import type { AskRequest, Authorizer, Cache, Stream } from "./index.js";
import { createOrderedExecute, type Execute } from "./ordered.js";

export interface ExchangeOptions {
  readonly session: Authorizer;
  /** For subscriptions. Without it they are left to the next exchange. */
  readonly stream?: Stream | undefined;
  /** Keeps late responses from overwriting newer values. Give it to `createStream`, too. */
  readonly cache?: Cache | undefined;
}

/**
 * Sends queries, mutations and subscriptions. It replaces `authExchange`, `fetchExchange` and `subscriptionExchange`, and is the last
 * exchange. Each mutation has an idempotency key; `context.idempotencyKey` sets your own. Changes with an `expectedVersion` are sent in
 * order, for each object.
 */
export function taskriverExchange(options: ExchangeOptions): Exchange {
  const execute = createOrderedExecute(options.session);
  return ({ forward }) => (source) => {
    const operations = share(source);
    const isOurs = ({ kind }: Operation) => kind === "query" || kind === "mutation" || (kind === "subscription" && !!options.stream);
    const results = pipe(operations, filter(isOurs), mergeMap((operation) => {
      const teardown = pipe(operations, filter(({ kind, key }) => kind === "teardown" && key === operation.key));
      return pipe(operation.kind === "subscription" ? received(operation, options) : asked(operation, options, execute), takeUntil(teardown));
    }));
    return merge([results, pipe(operations, filter((operation) => !isOurs(operation)), forward)]);
  };
}

function asked(operation: Operation, { cache }: ExchangeOptions, execute: Execute): Source<OperationResult> {
  return make(({ next, complete }) => {
    const controller = new AbortController();
    const { idempotencyKey = operation.kind === "mutation" } = operation.context as { idempotencyKey?: string | boolean };
    const finish = (result: OperationResult) => {
      if (controller.signal.aborted) return;
      next(result);
      complete();
    };
    execute(requestOf(operation), { cache, idempotencyKey, signal: controller.signal }).then(
      (result) => finish(makeResult(operation, result as never)),
      (error) => finish(makeErrorResult(operation, error)),
    );
    return () => controller.abort();
  });
}

/** Each result is independent: an error in one item does not stay in the following ones. */
function received(operation: Operation, { stream }: ExchangeOptions): Source<OperationResult> {
  return make(({ next, complete }) => stream!.subscribe(requestOf(operation), {
    next: (result) => next(makeResult(operation, result as never)),
    error: (error) => {
      next({ ...makeErrorResult(operation, error), hasNext: false });
      complete();
    },
    complete,
  }));
}

function requestOf({ query, variables, extensions }: Operation): AskRequest {
  return { query: stringifyDocument(query), variables: variables as Record<string, unknown>, extensions };
}
