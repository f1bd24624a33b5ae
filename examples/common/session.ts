// Where the API is, and who is signed in.
import { createCache, createSession } from "@taskriver/client";

/** Of this page's own origin (vite passes requests on), or the address that VITE_API names (by CORS). */
const API = new URL(import.meta.env.VITE_API ?? "/graphql", location.href).href;

export const session = createSession({ url: API });
export const cache = createCache();

/** What the page knows belongs to its user. Another tab can sign out, too. */
let userId: string | undefined;
session.subscribe(() => {
  const { user } = session.state;
  if (userId !== undefined && user?.id !== userId) location.reload();
  userId = user?.id;
});
