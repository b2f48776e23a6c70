import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { temporaryFolder } from "../support/process/temporary-folder";

const PROJECT = join(__dirname, "..", "..");
const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES5"],
    module: "node20",
    types: [],
    strict: true,
    rootDir: ".",
    outDir: "dist",
    declaration: true,
    sourceMap: true,
    incremental: true,
    tsBuildInfoFile: "dist/.tsbuildinfo",
  },
  include: ["main.ts", "parts"],
  exclude: ["**/*.test.ts"],
};

const folder = temporaryFolder();
let root: string;

const path = (name: string) => join(root, name);
const write = (name: string, text: string) => {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), text);
};
const output = (name: string) => readFileSync(path(`dist/${name}.js`), "utf8");

beforeEach(() => {
  root = mkdtempSync(join(folder, "project-"));
  cpSync(join(PROJECT, "scripts"), path("scripts"), { recursive: true });
  // The compiler of the project, which also notes down each time that it runs.
  const tsc = join(PROJECT, "node_modules", "typescript", "bin", "tsc");
  write(
    "node_modules/typescript/bin/tsc",
    `require("node:fs").appendFileSync(${JSON.stringify(path("compilations"))}, "x"); require(${JSON.stringify(tsc)});`,
  );
  write("node_modules/typescript/package.json", "{}");
  write("tsconfig.json", JSON.stringify(TSCONFIG));
  write("package.json", "{}");
  write("package-lock.json", "{}");
  write("main.ts", 'import { one } from "./parts/one";\nexport const main = one;\n');
  write("parts/one.ts", "export const one = 1;\n");
});

// Compilers and serializers take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

function runScript(...args: string[]): Promise<{ code: number; said: string }> {
  const [script = "", ...others] = args;
  return new Promise((resolve) => {
    execFile(process.execPath, [path(`scripts/${script}`), ...others], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr }),
    );
  });
}

/** Builds; says whether it succeeded and how often the compiler has run. */
async function build(): Promise<{ code: number; compilations: number; said: string }> {
  const { code, said } = await runScript("build.mjs");
  const log = existsSync(path("compilations")) ? readFileSync(path("compilations"), "utf8") : "";
  return { code, compilations: log.length, said };
}

const built = (compilations: number) => expect.objectContaining({ code: 0, compilations }) as unknown;

test("A project is compiled once, and not again while nothing changes", async () => {
  expect(await build()).toEqual(built(1));
  expect(output("main")).toContain("one_1.one");
  expect(await build()).toEqual({ code: 0, compilations: 1, said: "" });
});

test("A test that changes, and files whose times alone change, are no reason to compile", async () => {
  await build();
  write("parts/one.test.ts", "what is this?");
  for (const name of ["main.ts", "package-lock.json", "dist/main.js"]) utimesSync(path(name), 1, 1);
  expect(await build()).toEqual(built(1));
});

test("It is compiled again when sources, the compiler's settings or the installed packages change", async () => {
  await build();
  const changes = [
    () => write("parts/one.ts", "export const one = 2;\n"),
    () => write("parts/two.ts", "export const two = 2;\n"),
    () => write("tsconfig.json", JSON.stringify({ ...TSCONFIG, extra: 1 })),
    () => write("package-lock.json", '{ "packages": {} }'),
    () => write("node_modules/.package-lock.json", "{}"),
  ];
  for (const [index, change] of changes.entries()) {
    change();
    expect(await build(), change.toString()).toEqual(built(index + 2));
  }
  expect(await build()).toEqual(built(changes.length + 1));
});

test("A source that changes as it is compiled, to one of the same size and time, is noticed", async () => {
  const now = Math.ceil(Date.now() / 1_000);
  utimesSync(path("parts/one.ts"), now, now);
  await build();
  write("parts/one.ts", "export const one = 3;\n");
  utimesSync(path("parts/one.ts"), now, now);
  expect(await build()).toEqual(built(2));
  expect(output("parts/one")).toContain("one = 3");
});

test("Outputs of a source that is deleted or renamed do not stay", async () => {
  write("parts/two.ts", "export const two = 2;\n");
  write("parts/inner/three.ts", "export const three = 3;\n");
  await build();
  renameSync(path("parts/two.ts"), path("parts/other.ts"));
  rmSync(path("parts/inner"), { recursive: true });
  expect(await build()).toEqual(built(2));
  const left = ["parts/two.js", "parts/two.d.ts", "parts/two.js.map", "parts/inner"];
  expect(left.filter((name) => existsSync(path(`dist/${name}`)))).toEqual([]);
  expect(output("parts/other")).toContain("two = 2");
});

test.each([
  ["edited", () => writeFileSync(path("dist/parts/one.js"), "exports.one = 666;")],
  ["removed", () => rmSync(path("dist/parts/one.js"))],
  ["removed with all others", () => rmSync(path("dist"), { recursive: true })],
])("An output that was %s by hand is written again, though no source has changed", async (_how, change) => {
  await build();
  change();
  expect(await build()).toEqual(built(2));
  expect(output("parts/one")).toContain("one = 1");
});

test("A build that fails is no build: it fails until the source is right, however often it is tried", async () => {
  await build();
  write("parts/one.ts", 'export const one: number = "one";\n');
  for (const compilations of [2, 3]) {
    const failed = await build();
    expect(failed).toMatchObject({ compilations, said: expect.stringContaining("TS2322") as string });
    expect(failed.code).not.toBe(0);
  }
  write("parts/one.ts", "export const one = 1;\n");
  expect(await build()).toEqual(built(4));
  expect(await build()).toEqual(built(4));
});

test("A copy of a project is up to date, though all its files are newer", async () => {
  await build();
  const copy = join(folder, "copy");
  cpSync(root, copy, { recursive: true });
  root = copy;
  expect(await build()).toEqual(built(1));
});

test("Of several builds at the same time one compiles, and the others wait for it", async () => {
  const builds = await Promise.all([build(), build(), build()]);
  expect(builds.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await build()).toEqual(built(1));
  expect(existsSync(path(".domains/build.lock"))).toBe(false);
});

test("A build whose lock was left by a process that has died goes on", async () => {
  write(".domains/build.lock", "4194305");
  expect(await build()).toEqual(built(1));
});

test("A program is run with its arguments once it is built, and not at all where its build fails", async () => {
  const declarations = "declare const process: { argv: string[]; exitCode?: number };\n";
  const program = 'process.exitCode = 7;\nconsole.log(["arguments", ...process.argv.slice(2)].join(" "));\n';
  write("main.ts", `${declarations}declare const console: { log(text: string): void };\n${program}`);
  const ran = await runScript("run.mjs", "main.js", "one", "--two");
  expect(ran).toEqual({ code: 7, said: expect.stringContaining("arguments one --two\n") as string });
  write("main.ts", `${declarations}${program}`);
  const failed = await runScript("run.mjs", "main.js");
  expect(failed.said).toContain("TS2584");
  expect(failed.said).not.toContain("arguments");
});
