import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// The package from its sources beside this folder: `npm install @taskriver/client` replaces this in your project.
const client = fileURLToPath(new URL("../../clients/typescript/src", import.meta.url));

export default defineConfig({
  server: {
    // Requests and sockets go on to a server that runs already, so that the page and the API are of one origin.
    proxy: { "/graphql": { target: process.env["TASKRIVER"] ?? "http://127.0.0.1:8000", ws: true } },
    fs: { allow: ["..", client] },
  },
  resolve: {
    alias: [
      { find: /^@taskriver\/client$/, replacement: `${client}/index.ts` },
      { find: /^@taskriver\/client\/(.*)$/, replacement: `${client}/$1.ts` },
    ],
    // What is outside of this folder has no packages of its own.
    dedupe: ["@apollo/client", "react", "react-dom", "rxjs"],
  },
});
