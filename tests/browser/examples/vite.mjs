// An example as its README starts it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT, answers, ended } from "../stage.mjs";

/** Runs `npm run dev` in the example's folder; answers the page's address, and a way to end it. */
export async function running(name, port, settings) {
  const vite = spawn("npm", ["run", "--silent", "dev", "--", "--port", String(port), "--strictPort"], {
    cwd: join(ROOT, "examples", name),
    env: { ...process.env, ...settings },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true, // a group of its own: npm does not pass signals on to what it runs
  });
  let said = "";
  vite.stderr.on("data", (part) => (said += part));
  const end = () => ended(vite, (signal) => process.kill(-vite.pid, signal));
  try {
    await answers(`http://localhost:${port}/`, vite);
  } catch (error) {
    console.error(`Vite said:\n${said}`);
    await end();
    throw error;
  }
  return { url: `http://localhost:${port}`, end };
}
