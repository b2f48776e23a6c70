import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { zipSync, strToU8 } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import { type DeclaredFunction, hashesOf, packageText, runProgram } from "../support/run-program";
import { REQUIRED_CONFIG } from "../support/stack-config";
import { temporaryFolder } from "../support/temporary-folder";

/** Bytes of a zipped package. Loading it is most of a cold start: 300 KB take about 100 ms. */
const SIZE_BUDGET_BYTES = 400 * 1024;
/** Earliest time that a zip can hold, so that only the content counts. */
const MTIME = new Date(1980, 0, 1);
const BOTH_RUNS_MILLISECONDS = 120_000;

const folder = temporaryFolder();
let built: Record<string, DeclaredFunction>;
let loaded: Record<string, DeclaredFunction>;
beforeAll(async () => {
  [built, loaded] = await Promise.all([
    runProgram(folder, { load: "build" }),
    runProgram(folder, { load: "pulumi", preview: true }),
  ]);
}, BOTH_RUNS_MILLISECONDS);

test("Every function of the program has a package", () => {
  expect(Object.keys(built).sort()).toEqual([
    "catalog-commands",
    "catalog-on-orders",
    "customers-commands",
    "monolith-relay",
    "monolith-retention",
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
  for (const [name, { handler, files }] of Object.entries(built)) {
    expect([name, handler, files]).toEqual([name, "index.handler", ["index.js"]]);
    const zip = zipSync({ "index.js": strToU8(packageText(built[name])) }, { level: 6, mtime: MTIME });
    expect(zip.length, name).toBeLessThanOrEqual(SIZE_BUDGET_BYTES);
  }
});

// One comparison for all three, since each run costs seconds: what differs would show here, and then be looked for.
test("A package has the same bytes in every process, in a preview as in a deployment, compiled by Pulumi as by the build", () => {
  expect(hashesOf(loaded)).toEqual(hashesOf(built));
});

test("Functions that do the same share one package", () => {
  const hashes = hashesOf(built);
  expect(hashes["orders-relay"]).toBe(hashes["shipping-relay"]);
  expect(hashes["orders-on-customers"]).toBe(hashes["shipping-on-customers"]);
});

test("No package holds a name, an endpoint or a secret of the stack, so that renaming a resource changes no code", () => {
  const given = Object.values(built).flatMap(({ variables }) => Object.values(variables));
  const addresses = given.filter((value) => /^(arn|https):/.test(value));
  const others = given.filter((value) => !addresses.includes(value) && value !== "verify-full");
  const names = others.join(" ").match(/[a-z]+(-[a-z]+)+/g) ?? [];
  const { databaseHost, captureSecretArn } = REQUIRED_CONFIG;
  const forbidden = [...names, ...addresses, databaseHost, captureSecretArn];
  expect(forbidden).toEqual(expect.arrayContaining(["orders-outbox", "orders-orders-table"]));
  for (const [name, declared] of Object.entries(built)) {
    const text = packageText(declared);
    const found = forbidden.filter((word) => text.includes(word));
    expect(found, name).toEqual([]);
  }
});

describe("In a bare Node process, without the project's node_modules", () => {
  let exported: Record<string, { type: string; parameters: number }>;
  beforeAll(async () => {
    const script = join(folder, "load.cjs");
    writeFileSync(script, LOAD_EACH);
    const options = { cwd: folder, env: { PATH: process.env.PATH, AWS_REGION: "eu-central-1" } };
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(built)], options);
    exported = JSON.parse(stdout) as typeof exported;
  });

  test("every package loads with the environment that its function declares, and exports a handler as Lambda calls it", () => {
    expect(Object.keys(exported).sort()).toEqual(Object.keys(built).sort());
    for (const [name, { type, parameters }] of Object.entries(exported)) {
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
