import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";

import type {
  AskRequest, Cache, Entity, GraphQLResult, RequestError, Session, SessionState, Sink, Stream, StreamStatus,
} from "./index.js";

/** The state of the session. The first component that uses it continues the session of an earlier visit. */
export function useSession(session: Session): SessionState {
  const read = () => session.state;
  useEffect(() => {
    if (session.state.status === "unknown") session.resume().catch(() => {}); // `state.error` says why.
  }, [session]);
  return useSyncExternalStore(session.subscribe, read, read);
}

export function useStreamStatus(stream: Stream): StreamStatus {
  const read = () => stream.status;
  return useSyncExternalStore(stream.onStatus, read, read);
}

/** All known fields of an object; undefined: unknown or deleted. */
export function useCached(cache: Cache, id: string): Entity | undefined {
  const read = () => cache.read(id);
  const subscribe = useCallback((listener: () => void) => cache.subscribe((ids) => (!ids || ids.has(id)) && listener()), [cache, id]);
  return useSyncExternalStore(subscribe, read, read);
}

export interface SubscriptionState<TData> {
  /** The last result. Between two renderings there can be several: handle each in `next`. */
  readonly result: GraphQLResult<TData> | null;
  /** Why the subscription has ended. An error in a result is in `result.errors`, and does not end it. */
  readonly error: RequestError | null;
  readonly isComplete: boolean;
}

type Handlers<TData> = { readonly [Name in keyof Sink<TData>]?: Sink<TData>[Name] | undefined };

const NOTHING: SubscriptionState<never> = { result: null, error: null, isComplete: false };

/**
 * Subscribes while the component is mounted. *request* null: not yet. A request with the same document and equal variables is the same
 * subscription; the handlers may be new with each rendering.
 */
export function useStream<TData = unknown, TVariables = Record<string, unknown>>(
  stream: Stream, request: AskRequest<TData, TVariables> | null, handlers: Handlers<TData> = {},
): SubscriptionState<TData> {
  const [state, setState] = useState<SubscriptionState<TData>>(NOTHING);
  const latest = useRef({ request, handlers });
  useEffect(() => {
    latest.current = { request, handlers };
  });
  const key = request && JSON.stringify([String((request.query as { loc?: { source: { body: string } } }).loc?.source.body ?? request.query), request.variables]);
  useEffect(() => {
    const { request } = latest.current;
    if (!request) return undefined;
    setState(NOTHING);
    return stream.subscribe(request, {
      next: (result) => {
        setState((before) => ({ ...before, result }));
        latest.current.handlers.next?.(result);
      },
      error: (error) => {
        setState((before) => ({ ...before, error }));
        latest.current.handlers.error?.(error);
      },
      complete: () => {
        setState((before) => ({ ...before, isComplete: true }));
        latest.current.handlers.complete?.();
      },
    });
  }, [stream, key]);
  return state;
}
