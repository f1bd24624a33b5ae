/**
 * Calls *listener* when the network or the page is back: `online`, a page that becomes visible, a page from the back/forward
 * cache. Without these events (Node, React Native) it does nothing. Returns a function that ends this.
 */
export function onWake(listener: () => void): () => void {
  const { document, addEventListener } = globalThis as Partial<typeof globalThis>;
  const controller = new AbortController();
  const { signal } = controller;
  addEventListener?.("online", listener, { signal });
  addEventListener?.("pageshow", listener, { signal });
  document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && listener(), { signal });
  return () => controller.abort();
}
