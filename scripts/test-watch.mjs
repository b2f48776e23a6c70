// npm run test:watch -- <file>: compiles the sources whenever they change, and then runs the test file again. What the tests
// import from dist/ is not in their own module graph, so vitest alone would not notice. Ctrl-C or q ends it.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startVitest } from "vitest/node";
import { currentSources, ROOT, stampBuild } from "./build-stamp.mjs";

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write("Name a test file: npm run test:watch -- test/registry/names.unit.test.ts\n");
  process.exit(1);
}

spawnSync(process.execPath, [join(ROOT, "scripts", "build.mjs")], { stdio: ["ignore", 2, 2] });
const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
const compiler = spawn(
  process.execPath,
  [tsc, "-p", ROOT, "--watch", "--preserveWatchOutput", "--pretty", "false"],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
process.on("exit", () => compiler.kill());
const vitest = await startVitest("test", files, { watch: true });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => void vitest.exit(true));

let sources = currentSources();
let compilations = 0;
for await (const line of createInterface({ input: compiler.stdout })) {
  if (/Starting .*compilation/.test(line)) sources = currentSources();
  else if (/error TS\d+/.test(line)) process.stderr.write(`${line}\n`);
  const [, errors] = /Found (\d+) errors?\. Watching/.exec(line) ?? [];
  if (errors === undefined) continue;
  stampBuild(errors === "0", sources);
  compilations += 1;
  // The first one finds what was built before the tests began.
  if (compilations > 1 && errors === "0") {
    void vitest.rerunTestSpecifications(await vitest.globTestSpecifications(files));
  }
}
