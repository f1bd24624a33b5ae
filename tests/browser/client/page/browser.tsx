// The page in a browser, with what the tests look at. The address has its options, as JSON.
import { StrictMode } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { createApp } from "./app.js";
import { Page } from "./page.js";

const app = createApp({ url: "/graphql", ...JSON.parse(decodeURIComponent(location.search.slice(1)) || "{}") });
const seen = { items: [] as object[], mounts: 0, states: [] as { state: string; at: number }[] };
app.stream.onStatus(() => seen.states.push({ state: app.stream.status.state, at: performance.now() }));

const observer = { onItem: (item: object) => void seen.items.push(item), onMount: () => void seen.mounts++ };
const page = <StrictMode><Page app={app} observer={observer} /></StrictMode>;
const root = document.getElementById("root")!;
if (root.hasChildNodes()) hydrateRoot(root, page);
else createRoot(root).render(page);

Object.assign(window, { app, seen });
