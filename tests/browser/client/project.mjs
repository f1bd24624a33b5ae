// A new vite project that installs the client package, as its README says.
import { execFile, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT, answers, ended } from "../stage.mjs";

const PACKAGE = join(ROOT, "clients/typescript");
const VERSIONS = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")).devDependencies;
/** What the page of `page/` needs, and the socket server of the test of memory; with what these need. */
const PAGE_NEEDS = ["react", "react-dom", "scheduler", "ws", "@types/react", "@types/react-dom", "csstype"];
const TYPES = {
  compilerOptions: {
    target: "es2023", module: "nodenext", lib: ["es2023", "dom", "dom.iterable"], types: ["vite/client"], jsx: "react-jsx",
    strict: true, noEmit: true,
  },
  include: ["src"],
};

/** The blocks of code of the README, in a language. */
function blocks(language) {
  const text = readFileSync(join(PACKAGE, "README.md"), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code);
}

/** A document that runs a module, and has this content before. */
function documentOf(module, content = "") {
  return '<!doctype html><html lang="en"><head><title>Tasks</title><link rel="icon" href="data:,"></head>'
    + `<body><div id="root">${content}</div><script type="module" src="/src/${module}"></script></body></html>`;
}

function runIn(folder, command, ...args) {
  return execFileSync(command, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
}

/** Makes the project in a folder of its own, with the package as npm would install it, and checks its types. */
export function newProject(server) {
  const folder = mkdtempSync(join(tmpdir(), "taskriver-client-"));
  const [config, main] = blocks("ts");
  const archive = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: PACKAGE }).toString().trim();
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "tasks", private: true, type: "module" }));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TYPES));
  writeFileSync(join(folder, "index.html"), documentOf("main.ts"));
  writeFileSync(join(folder, "vite.config.ts"), config.replace("http://127.0.0.1:8000", server).replace("server: {", "server: { allowedHosts: true,"));
  writeFileSync(join(folder, "src/main.ts"), `${main}\nObject.assign(window, { ask, session, stream });\n`);
  const packages = [`vite@${VERSIONS.vite}`, `typescript@${VERSIONS.typescript}`, `./${archive}`];
  runIn(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", ...packages);
  runIn(folder, "npx", "tsc");
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** As people use a page: without vite's client, which reloads a page that has slept. */
const BUILD = {
  base: "/built/", build: { outDir: "public/built", copyPublicDir: false, rollupOptions: { input: ["page.html", "memory.html"] } },
};

/** Adds the React page to the project, at `/page.html`, and the pages of a build, at `/built/page.html` and `/built/memory.html`. */
export function addPage({ folder }) {
  cpSync(join(import.meta.dirname, "page"), join(folder, "src/page"), { recursive: true });
  writeFileSync(join(folder, "page.html"), documentOf("page/browser.tsx"));
  writeFileSync(join(folder, "memory.html"), documentOf("page/memory.tsx"));
  for (const name of PAGE_NEEDS) cpSync(join(PACKAGE, "node_modules", name), join(folder, "node_modules", name), { recursive: true });
  writeFileSync(join(folder, "build.config.mjs"), `export default ${JSON.stringify(BUILD)};`);
  runIn(folder, "npx", "tsc");
  runIn(folder, "npx", "vite", "build", "--config", "build.config.mjs", "--logLevel", "error");
}

/** Renders the page on Node for an API, as `/rendered.html`. Returns its markup. Other scenarios go on meanwhile. */
export async function render({ folder }, api) {
  const run = (command, ...args) => promisify(execFile)(command, args, { cwd: folder });
  await run("npx", "vite", "build", "--logLevel", "warn", "--ssr", "src/page/server.tsx", "--outDir", "rendering");
  const program = 'import("./rendering/server.js").then(({ render }) => process.stdout.write(render(process.argv[1])))';
  const { stdout: markup } = await run(process.execPath, "--eval", program, api);
  writeFileSync(join(folder, "rendered.html"), documentOf("page/browser.tsx", markup));
  return markup;
}

/** A package of the project. */
export function packageOf({ folder }, name) {
  return createRequire(join(folder, "package.json"))(name);
}

/** Serves the project, with vite. */
export async function served({ folder }, port) {
  const vite = spawn("node_modules/.bin/vite", ["--port", String(port), "--strictPort", "--host", "127.0.0.1"], {
    cwd: folder, stdio: ["ignore", "ignore", "inherit"],
  });
  await answers(`http://127.0.0.1:${port}/`, vite);
  return { end: () => ended(vite) };
}
