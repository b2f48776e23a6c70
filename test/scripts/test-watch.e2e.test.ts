import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { temporaryFolder } from "../support/process/temporary-folder";

const PROJECT = join(__dirname, "..", "..");
const WAIT = { timeout: 100_000, interval: 50 };

const root = temporaryFolder();
const write = (name: string, text: string) => writeFileSync(join(root, name), text);

function makeProject(): void {
  for (const name of ["scripts", "vitest.config.mts"]) {
    cpSync(join(PROJECT, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(PROJECT, "node_modules"), join(root, "node_modules"));
  const compilerOptions = { module: "node20", target: "ES2022", lib: ["ES5"], types: [], rootDir: "." };
  const incremental = { outDir: "dist", incremental: true, tsBuildInfoFile: "dist/.tsbuildinfo" };
  const settings = { compilerOptions: { ...compilerOptions, ...incremental }, include: ["answer.ts"] };
  write("tsconfig.json", JSON.stringify(settings));
  write("package.json", '{ "type": "commonjs" }');
  write("answer.ts", "export const answer: number = 42;\n");
  mkdirSync(join(root, "test"));
  const asserts = 'test("the answer", () => expect(answer).toBe(42));';
  const imports = 'import { expect, test } from "vitest";\nimport { answer } from "../dist/answer.js";\n';
  write("test/answer.unit.test.ts", imports + asserts);
}

/** Whether a process of this group runs. */
function isRunning(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

test("npm run test:watch compiles and runs a file again when a source changes, says what does not compile, and ends at Ctrl-C with all that it started", async () => {
  makeProject();
  const script = join(root, "scripts", "test-watch.mjs");
  const watch = spawn(process.execPath, [script, "test/answer.unit.test.ts"], {
    cwd: root,
    detached: true,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const group = watch.pid as number;
  onTestFinished(() => {
    if (isRunning(group)) process.kill(-group, "SIGKILL");
  });
  let output = "";
  for (const stream of [watch.stdout, watch.stderr])
    stream.on("data", (text: Buffer) => (output += text.toString()));
  const says = async (words: RegExp) => {
    await vi.waitFor(() => expect(output).toMatch(words), WAIT);
    output = "";
  };
  await says(/Tests +1 passed/);
  write("answer.ts", "export const answer: number = 43;\n");
  await says(/expected 43 to be 42/);
  write("answer.ts", 'export const answer: number = "none";\n');
  await says(/answer\.ts\(1,14\): error TS2322/);
  write("answer.ts", "export const answer: number = 40 + 2;\n");
  await says(/Tests +1 passed/);
  process.kill(watch.pid as number, "SIGINT");
  await once(watch, "exit");
  await vi.waitFor(() => expect(isRunning(group)).toBe(false), WAIT);
});
