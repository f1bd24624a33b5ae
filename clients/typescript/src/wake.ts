/**
 * Calls *listener* when the network or the page is back: `online`, a page that becomes visible, a page from the back/forward
 * cache. Without these events (Node, React Native) it does nothing. Returns a function that ends this.
 */
export function onWake(listener: () => void): () => void {
  const target = globalThis as Partial<Pick<typeof globalThis, "addEventListener" | "removeEventListener" | "document">>;
  const { document } = target;
  if (!target.addEventListener) return () => {};
  const visible = () => document?.visibilityState === "visible" && listener();
  target.addEventListener("online", listener);
  target.addEventListener("pageshow", listener);
  document?.addEventListener("visibilitychange", visible);
  return () => {
    target.removeEventListener?.("online", listener);
    target.removeEventListener?.("pageshow", listener);
    document?.removeEventListener("visibilitychange", visible);
  };
}
