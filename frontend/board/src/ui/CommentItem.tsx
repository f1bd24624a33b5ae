import { useState } from "preact/hooks";

import { deleteComment, rewriteComment, type Comment } from "../board/discussion";
import type { ShownTask } from "../board/pending_changes";
import type { Store } from "../board/store";
import { LONGEST_COMMENT } from "./Comments";
import { ago, exactly } from "../../../common/ui/times";
import { useSubmit } from "../../../common/ui/use";

interface Props {
  readonly store: Store;
  readonly task: ShownTask;
  readonly comment: Comment;
  readonly now: number;
}

/** One comment. Its author changes and deletes it; so do those who may delete all comments. */
export function CommentItem({ store, task, comment, now }: Props) {
  const [isEditing, setEditing] = useState(false);
  const author = comment.author?.username ?? "A former user";
  const mayEdit = comment.viewerDidWrite && task.viewerCanComment;
  const mayDelete = mayEdit || task.viewerCanDeleteComments;
  const remove = async () => {
    const question = { title: "Delete this comment?", text: "This cannot be undone.", yes: "Delete", no: "Cancel" };
    const problem = (await store.ask(question)) ? await deleteComment(store, task.id, comment) : null;
    if (problem) store.notice("REFUSED", `The comment was not deleted: ${problem}`);
  };
  return (
    <li class="comment">
      <p class="head">
        <b>{author}</b>{" "}
        <time dateTime={comment.createdAt} title={exactly(comment.createdAt)}>{ago(comment.createdAt, now)}</time>
        {comment.isEdited && <span class="fine"> edited</span>}
        <span class="tools">
          {mayEdit && !isEditing && (
            <button class="quiet" aria-label={`Edit your comment “${start(comment.text)}”`} onClick={() => setEditing(true)}>
              Edit
            </button>
          )}
          {mayDelete && (
            <button class="quiet" aria-label={`Delete the comment of ${author} “${start(comment.text)}”`} onClick={() => void remove()}>
              Delete
            </button>
          )}
        </span>
      </p>
      {isEditing
        ? <EditComment store={store} taskId={task.id} comment={comment} onDone={() => setEditing(false)} />
        : <p class="text">{comment.text}</p>}
    </li>
  );
}

function EditComment({ store, taskId, comment, onDone }: { store: Store; taskId: string; comment: Comment; onDone: () => void }) {
  const [text, setText] = useState(comment.text);
  // The version that the writer saw when they began: a newer one of another window is not overwritten.
  const [seen] = useState(comment);
  const { busy, problem, submit } = useSubmit(() => rewriteComment(store, taskId, seen, text), onDone);
  return (
    <form onSubmit={submit}>
      <textarea
        rows={3} required maxLength={LONGEST_COMMENT} aria-label="Edit your comment" value={text}
        ref={focusOnce} onInput={(event) => setText(event.currentTarget.value)}
      />
      <p class="problem" role="alert">{problem}</p>
      <div class="actions">
        <button type="button" onClick={onDone}>Cancel</button>
        <button aria-disabled={busy}>{busy ? "Saving …" : "Save comment"}</button>
      </div>
    </form>
  );
}

/** The same function each time, so that it is called only when the element appears. */
function focusOnce(element: HTMLTextAreaElement | null): void {
  element?.focus();
}

function start(text: string): string {
  return text.length > 30 ? `${text.slice(0, 30)}…` : text;
}
