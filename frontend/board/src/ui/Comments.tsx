import { useEffect, useState } from "preact/hooks";

import { followComments, readComments, writeComment, type Comment } from "../board/discussion";
import type { ShownTask } from "../board/pending_changes";
import type { Store } from "../board/store";
import { CommentItem } from "./CommentItem";
import { useClock, useSubmit } from "../../../common/ui/use";

export const LONGEST_COMMENT = 10_000;

/** The comments on a task, live, and a field to write one. */
export function Comments({ store, task }: { store: Store; task: ShownTask }) {
  const { comments, problem } = useComments(store, task.id);
  const now = useClock(30_000);
  return (
    <section class="part comments" aria-labelledby="comments">
      <h3 id="comments">Comments{comments && comments.length > 0 && <span class="count"> {comments.length}</span>}</h3>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <ol>
        {comments?.map((comment) => <CommentItem key={comment.id} store={store} task={task} comment={comment} now={now} />)}
      </ol>
      {task.viewerCanComment && <NewComment store={store} taskId={task.id} />}
    </section>
  );
}

function NewComment({ store, taskId }: { store: Store; taskId: string }) {
  const [text, setText] = useState(store.comments.get(taskId) ?? "");
  const type = (typed: string) => {
    setText(typed);
    store.comments.set(taskId, typed);
  };
  const { busy, problem, submit } = useSubmit(() => writeComment(store, taskId, text), () => type(""));
  return (
    <form onSubmit={submit}>
      <textarea
        name="comment" rows={2} required maxLength={LONGEST_COMMENT} placeholder="Write a comment" aria-label="Write a comment"
        value={text} onInput={(event) => type(event.currentTarget.value)}
      />
      <p class="problem" role="alert">{problem}</p>
      <div class="actions"><button aria-disabled={busy}>{busy ? "Sending …" : "Comment"}</button></div>
    </form>
  );
}

/** Read at first, and again with every change. Only the last response counts. */
function useComments(store: Store, id: string) {
  const [comments, setComments] = useState<readonly Comment[] | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => followComments(store, id), [id]);
  useEffect(() => {
    let over = false;
    void readComments(store, id).then(
      (found) => over || (setComments(found), setProblem("")),
      (error: Error) => over || setProblem(error.message),
    );
    return () => {
      over = true;
    };
  }, [id, store.state.commented.get(id)]);
  return { comments, problem };
}
