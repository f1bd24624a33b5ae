// A page that is open for a week. Its API is at the address that follows the question mark; it needs no sign-in.
import { createCache, createStream } from "@taskriver/client";
import { useCached, useStream, useStreamStatus } from "@taskriver/client/react";
import { createRoot } from "react-dom/client";
import { CHANGES, type Changes } from "./app.js";

const cache = createCache();
const authorization = { token: "any", user: null };
const session = { url: location.search.slice(1), authorize: () => Promise.resolve(authorization) };
const stream = createStream({ session, cache, minDelay: 10, maxDelay: 10 });
const seen = { received: 0 };

function Page() {
  const { state, connections } = useStreamStatus(stream);
  const { result } = useStream<Changes>(stream, { query: CHANGES, variables: { after: "0" } }, { next: () => void seen.received++ });
  const task = useCached(cache, "task-2");
  return <p>{state} {connections}: {result?.data?.taskChanged.taskId}, {String(task?.["title"])}</p>;
}

createRoot(document.getElementById("root")!).render(<Page />);
Object.assign(window, { seen, cache, stream });
