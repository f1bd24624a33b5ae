import { useEffect, useRef, useState } from "preact/hooks";

import { inWords } from "../api/api";

export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** A list that is read page by page, and from the start when *key* changes. */
export function usePages<Node extends { readonly id: string }>(load: (after: string | null) => Promise<Page<Node> | null>, key: string) {
  const [nodes, setNodes] = useState<readonly Node[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const count = useRef(0);

  const read = async (after: string | null) => {
    const mine = ++count.current;
    setBusy(true);
    try {
      const page = await load(after);
      if (mine !== count.current) return;
      const found = page?.nodes ?? [];
      setNodes((before) => (after === null ? found : [...(before ?? []), ...found.filter(({ id }) => !before?.some((each) => each.id === id))]));
      setNext(page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null);
      setProblem("");
    } catch (error) {
      if (mine === count.current) setProblem(inWords(error));
    } finally {
      if (mine === count.current) setBusy(false);
    }
  };
  useEffect(() => void read(null), [key]);
  return {
    nodes, problem, busy,
    /** Null: this was the last page. */
    more: next === null ? null : () => void read(next),
    again: () => void read(null),
    replace: (node: Node) => setNodes((before) => before?.map((each) => (each.id === node.id ? node : each)) ?? null),
  };
}
