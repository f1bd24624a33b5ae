// Whether a board that was away knows everything again. Pure.
import type { NewestQuery } from "../api/gql/graphql";
import type { Board } from "../board/fold";

export type Newest = NewestQuery["tasks"];

/**
 * Whether the board knows what the server knew: the tasks that changed last, in these versions or later ones, and no
 * more and no fewer than there are. One that does not hold them all (*partial*) cannot be counted.
 */
export function knows(board: Board, newest: Newest, partial: boolean): boolean {
  if (!partial && board.tasks.size !== newest.totalCount) return false;
  return newest.nodes.every(({ id, version }) => (board.tasks.get(id)?.version ?? 0) >= version);
}
