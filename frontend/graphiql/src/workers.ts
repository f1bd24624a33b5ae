// Where Monaco finds its workers: files of our own, so that the page's policy need allow nothing else.
import type { Environment } from "monaco-editor";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JSONWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

const environment: Environment = {
  getWorker(_id, label) {
    if (label === "json") return new JSONWorker();
    return label === "graphql" ? new GraphQLWorker() : new EditorWorker();
  },
};

Object.assign(self, { MonacoEnvironment: environment });
