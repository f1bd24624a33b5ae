import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../schema.graphql",
  documents: "src/operations.graphql",
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: { enumsAsTypes: true, useTypeImports: true, strictScalars: true, scalars: { DateTime: "string", ID: "string" } },
    },
    // For the cache: what an item of the stream can be.
    "src/gql/possible-types.ts": { plugins: ["fragment-matcher"] },
  },
};

export default config;
