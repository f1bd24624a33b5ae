export { ask, execute, type AskOptions, type AskRequest } from "./ask.js";
export { createCache, type Cache, type CacheOptions, type StreamItem } from "./cache.js";
export type { WebSocketClass, WebSocketLike } from "./connection.js";
export type { StreamStatus } from "./connector.js";
export type { AnyRequest, Document, DocumentTypes } from "./document.js";
export type { Entity } from "./entities.js";
export { RequestError, type ResponseError } from "./errors.js";
export type { TokenStorage, User } from "./grant.js";
export type { GraphQLResult } from "./http.js";
export { createIdempotencyKey } from "./idempotency.js";
export type { OnResync, Resync } from "./resyncs.js";
export {
  createSession, type Authorization, type AuthorizeOptions, type Authorizer, type Session, type SessionOptions,
} from "./session.js";
export type { SessionState } from "./session_state.js";
export { createStream, type Stream, type StreamOptions } from "./stream.js";
export type { Sink } from "./subscription.js";
