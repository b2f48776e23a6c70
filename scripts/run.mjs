// node scripts/run.mjs <program> [argument ...]: builds dist/ where need be, and runs a program of it in this process. What V8
// has compiled is cached too: the program's libraries have thousands of files.
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import "./build.mjs";
import { ROOT } from "./build-stamp.mjs";

// Whoever reads the output may have enough of it, as `| head` does.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
});

// The build has said why it failed.
if (!process.exitCode) {
  enableCompileCache(join(ROOT, ".domains", "cache", "compiled"));
  const [node, , program, ...args] = process.argv;
  const path = join(ROOT, "dist", program);
  process.argv = [node, path, ...args];
  await import(pathToFileURL(path));
}
