import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The client package from its sources.
const client = fileURLToPath(new URL("../../clients/typescript/src", import.meta.url));
const alias = [
  { find: /^@taskriver\/client$/, replacement: `${client}/index.ts` },
  { find: /^@taskriver\/client\/(.*)$/, replacement: `${client}/$1.ts` },
];

// `npm run dev`: the page from here, the API from a server that runs already.
const proxy = { "/graphql": { target: process.env["TASKRIVER"] ?? "http://127.0.0.1:8000", ws: true } };

export default defineConfig({
  base: "/board/",
  server: { proxy },
  preview: { proxy },
  // What pages share has no packages of its own.
  resolve: { alias, dedupe: ["preact"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: here("../../server/pages/board"),
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    license: { fileName: "LICENSES.md" },
  },
});
