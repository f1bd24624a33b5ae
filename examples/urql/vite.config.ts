import { defineConfig } from "vite";

export default defineConfig({
  server: {
    // Requests and sockets go on to a server that runs already, so that the page and the API are of one origin.
    proxy: { "/graphql": { target: process.env["TASKRIVER"] ?? "http://127.0.0.1:8000", ws: true } },
    fs: { allow: [".."] },
  },
  // What stands beside this folder (../common, ../resumable) has no packages of its own.
  resolve: { dedupe: ["graphql-ws", "react", "react-dom"] },
});
