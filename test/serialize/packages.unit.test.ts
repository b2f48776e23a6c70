import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { zipSync, strToU8 } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import { type DeclaredFunction, hashesOf, packageText, runProgram } from "../support/run-program";
import { temporaryFolder } from "../support/temporary-folder";

/** Bytes of a zipped package. Loading it is most of a cold start: 300 KB take about 100 ms. */
const SIZE_BUDGET_BYTES = 400 * 1024;
/** Earliest time that a zip can hold, so that only the content counts. */
const MTIME = new Date(1980, 0, 1);
const BOTH_RUNS_MILLISECONDS = 120_000;

const folder = temporaryFolder();
let deployed: Record<string, DeclaredFunction>;
let previewed: Record<string, DeclaredFunction>;
beforeAll(async () => {
  [deployed, previewed] = await Promise.all([
    runProgram(folder, { load: "build" }),
    runProgram(folder, { load: "build", preview: true }),
  ]);
}, BOTH_RUNS_MILLISECONDS);

test("Every function of the program has a package", () => {
  expect(Object.keys(deployed).sort()).toEqual([
    "catalog-commands",
    "catalog-on-orders",
    "customers-commands",
    "monolith-relay",
    "orders-commands",
    "orders-on-customers",
    "orders-on-dispatch",
    "orders-on-products",
    "orders-relay",
    "shipping-commands",
    "shipping-on-customers",
    "shipping-on-orders",
    "shipping-on-placed",
    "shipping-on-relocations",
    "shipping-relay",
  ]);
});

test("A package is one file with one handler, and small enough to start fast", () => {
  for (const [name, { handler, files }] of Object.entries(deployed)) {
    expect([name, handler, files]).toEqual([name, "index.handler", ["index.js"]]);
    const zip = zipSync({ "index.js": strToU8(packageText(deployed[name])) }, { level: 6, mtime: MTIME });
    expect(zip.length, name).toBeLessThanOrEqual(SIZE_BUDGET_BYTES);
  }
});

test("Two runs of the program in two processes make the same packages, byte for byte, be it a preview or a deployment", () => {
  expect(hashesOf(previewed)).toEqual(hashesOf(deployed));
});

describe("In a bare Node process, without the project's node_modules", () => {
  let loaded: Record<string, { type: string; parameters: number }>;
  beforeAll(async () => {
    const script = join(folder, "load.cjs");
    writeFileSync(script, LOAD_EACH);
    const options = { cwd: folder, env: { PATH: process.env.PATH, AWS_REGION: "eu-central-1" } };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, JSON.stringify(deployed)],
      options,
    );
    loaded = JSON.parse(stdout) as typeof loaded;
  });

  test("every package loads with the environment that its function declares, and exports a handler as Lambda calls it", () => {
    expect(Object.keys(loaded).sort()).toEqual(Object.keys(deployed).sort());
    for (const [name, { type, parameters }] of Object.entries(loaded)) {
      expect(type, name).toBe("function");
      // Node 24 on Lambda refuses a handler with a third parameter, the callback of old.
      expect(parameters, name).toBeLessThanOrEqual(2);
    }
  });
});

/** Each package with its function's variables, and no others'. */
const LOAD_EACH = `
  const loaded = {};
  const inherited = { ...process.env };
  for (const [name, { folder, variables }] of Object.entries(JSON.parse(process.argv[2]))) {
    process.env = { ...inherited, ...variables };
    const { handler } = require(folder + "/index.js");
    loaded[name] = { type: typeof handler, parameters: handler.length };
  }
  console.log(JSON.stringify(loaded));
`;
