import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "/graphql/",
  resolve: {
    alias: [
      { find: "monaco-editor/esm/vs/editor/edcore.main.js", replacement: here("./src/monaco.ts") },
      // The client package from its sources.
      { find: /^@taskriver\/client$/, replacement: here("../../clients/typescript/src/index.ts") },
    ],
  },
  build: {
    outDir: here("../../server/pages/graphiql"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_500,
    license: { fileName: "LICENSES.md" },
    rolldownOptions: {
      // Packages say "use client" to frameworks that render on servers.
      checks: { moduleLevelDirective: false },
      output: {
        codeSplitting: {
          // The page shows itself before the editor is there: what it needs at once stays out of the editor's chunks.
          groups: [
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]|preload-helper/, priority: 2 },
            { name: "monaco-words", test: /(standaloneEnums|editorBaseApi|common[\\/]uri|core[\\/]range)\.js$/, priority: 1 },
            { name: "monaco-base", test: /monaco-editor[\\/]esm[\\/]vs[\\/](base|platform)[\\/][^?]*$/ },
            { name: "monaco-model", test: /monaco-editor[\\/]esm[\\/]vs[\\/]editor[\\/]common[\\/][^?]*$/ },
            { name: "monaco", test: /monaco-editor[\\/]esm[\\/]vs[\\/][^?]*$/ },
          ],
        },
      },
    },
  },
});
