// A new vite project that installs the client package, as its README says.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, answers, ended } from "../stage.mjs";

const PACKAGE = join(ROOT, "clients/typescript");
const EXAMPLE = JSON.parse(readFileSync(join(ROOT, "examples/urql/package.json"), "utf8"));
const PAGE = '<!doctype html><html lang="en"><head><title>Tasks</title><link rel="icon" href="data:,"></head>'
  + '<body><script type="module" src="/src/main.ts"></script></body></html>';
const TYPES = {
  compilerOptions: {
    target: "es2023", module: "nodenext", lib: ["es2023", "dom", "dom.iterable"], types: ["vite/client"], strict: true, noEmit: true,
  },
  include: ["src"],
};

/** The blocks of code of the README, in a language. */
function blocks(language) {
  const text = readFileSync(join(PACKAGE, "README.md"), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code);
}

/** Makes the project in a folder of its own, with the package as npm would install it, and checks its types. */
export function newProject(server) {
  const folder = mkdtempSync(join(tmpdir(), "taskriver-client-"));
  const run = (command, ...args) => execFileSync(command, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] }).toString();
  const [config, main] = blocks("ts");
  const { typescript, vite } = EXAMPLE.devDependencies;
  const archive = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: PACKAGE }).toString().trim();
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "tasks", private: true, type: "module" }));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TYPES));
  writeFileSync(join(folder, "index.html"), PAGE);
  writeFileSync(join(folder, "vite.config.ts"), config.replace("http://127.0.0.1:8000", server).replace("server: {", "server: { allowedHosts: true,"));
  writeFileSync(join(folder, "src/main.ts"), `${main}\nObject.assign(window, { ask, session, stream });\n`);
  run("npm", "install", "--silent", "--no-audit", "--no-fund", `vite@${vite}`, `typescript@${typescript}`, `./${archive}`);
  run("npx", "tsc");
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Serves the project, with vite. */
export async function served({ folder }, port) {
  const vite = spawn("node_modules/.bin/vite", ["--port", String(port), "--strictPort", "--host", "127.0.0.1"], {
    cwd: folder, stdio: ["ignore", "ignore", "inherit"],
  });
  await answers(`http://127.0.0.1:${port}/`, vite);
  return { end: () => ended(vite) };
}
