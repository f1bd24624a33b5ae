// The comments on one task.
import {
  CommentChangesDocument, CommentsDocument, CreateCommentDocument, DeleteCommentDocument, UpdateCommentDocument,
  type CommentsQuery,
} from "../api/gql/graphql";
import type { Store } from "./store";

export type Comment = NonNullable<CommentsQuery["task"]>["comments"]["nodes"][number];

/** All comments, the oldest first. Throws `RequestError`. */
export async function readComments({ api }: Store, id: string): Promise<readonly Comment[]> {
  const found: Comment[] = [];
  for (let after: string | null = null; ; ) {
    const { task }: CommentsQuery = await api.ask(CommentsDocument, { id, after });
    if (!task) return found;
    found.push(...task.comments.nodes);
    if (!task.comments.pageInfo.hasNextPage) return found;
    after = task.comments.pageInfo.endCursor;
  }
}

/** The stream of a project brings its comments. The board of all tasks subscribes to those of the open task. */
export function followComments(store: Store, id: string): () => void {
  if (store.projectKey !== null) return () => {};
  const after = store.state.standing.cursor;
  return store.api.receive(CommentChangesDocument, { taskIds: [id], after }, () => store.follow.commentsChanged(id));
}

// Each answers what is wrong, or null.

export function writeComment(store: Store, taskId: string, text: string): Promise<string | null> {
  return changing(store, taskId, store.submit.request(CreateCommentDocument, { taskId, text }));
}

export function rewriteComment(store: Store, taskId: string, { id, version }: Comment, text: string): Promise<string | null> {
  return changing(store, taskId, store.submit.request(UpdateCommentDocument, { id, text, expectedVersion: version }));
}

export function deleteComment(store: Store, taskId: string, { id }: Comment): Promise<string | null> {
  return changing(store, taskId, store.submit.request(DeleteCommentDocument, { id }));
}

/** The comments are read again at once, not only when the stream says so. */
async function changing(store: Store, taskId: string, answer: Promise<string | null>): Promise<string | null> {
  const problem = await answer;
  store.follow.commentsChanged(taskId);
  return problem;
}
