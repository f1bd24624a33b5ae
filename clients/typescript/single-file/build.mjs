// Builds examples/resumable/resumable.mjs. `node single-file/build.mjs --print` prints it instead.
import { writeFileSync } from "node:fs";
import { rolldown } from "rolldown";

const HEADER = `// Subscriptions that resume without a gap: copy this file beside your own. It needs no packages, except \`ws\` in Node 20.
// Built from clients/typescript by \`make client\`. Change the sources, not this file.
`;
const target = new URL("../../../examples/resumable/resumable.mjs", import.meta.url);

const bundle = await rolldown({ input: new URL("resumable.ts", import.meta.url).pathname });
const { output } = await bundle.generate({ format: "es", minify: false });
const code = output[0].code.replace(/^\/\/#(end)?region.*\n/gm, "").replaceAll("\t", "  ");
if (process.argv.includes("--print")) process.stdout.write(HEADER + code);
else writeFileSync(target, HEADER + code);
