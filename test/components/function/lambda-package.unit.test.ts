import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { lambdaPackage } from "../../../dist/components/function/lambda-package.js";
import { temporaryFolder } from "../../support/process/temporary-folder";

const require = createRequire(import.meta.url);
const folder = temporaryFolder();

/** Loads a package as Lambda does: a file of its own. */
function load(name: string, text: string): { handler: (...args: unknown[]) => Promise<unknown> } {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, text);
  return require(file) as ReturnType<typeof load>;
}

test("A package exports the handler that the factory makes, once a cold start", async () => {
  const factory = () => {
    let calls = 0;
    return async () => ++calls;
  };
  const { handler } = load("counts", await lambdaPackage("a test", factory));
  expect([await handler(), await handler()]).toEqual([1, 2]);
});

test("A package carries the plain data and the functions that its handler captures", async () => {
  const names = { greeting: "Good day" };
  const greet = (name: string) => `${names.greeting}, ${name}`;
  const factory = () => async (name: string) => greet(name);
  const { handler } = load("greets", await lambdaPackage("a test", factory));
  expect(await handler("Ada")).toBe("Good day, Ada");
});

test("The same handler gives the same bytes", async () => {
  const make = () => () => async () => "same";
  expect(await lambdaPackage("one", make())).toBe(await lambdaPackage("other", make()));
});

test("Handlers that do the same share one package, whoever owns them", async () => {
  const factory = () => async () => "shared";
  const [one, other] = [lambdaPackage("one", factory), lambdaPackage("other", factory)];
  expect(await one).toBe(await other);
});

test("A handler that captures a function of the machine is refused, naming its owner, the variable and the remedy", async () => {
  const largest = Math.max.bind(Math);
  const refused = lambdaPackage('domain "orders", commands', () => async () => largest(1, 2));
  await expect(refused).rejects.toMatchObject({ code: "HANDLER_NOT_SERIALIZABLE" });
  await expect(refused).rejects.toThrow(
    /^The handler of domain "orders", commands cannot be serialized into a Lambda package: [^]* captured\n +'largest', a function [^]*\nCapture only functions and plain data; make clients and schemas inside the factory \(docs\/packaging\.md\)\.$/,
  );
});

test("A handler that captures a schema instead of making it is refused, naming its owner and the variable", async () => {
  const schema = z.object({ name: z.string() });
  const refused = lambdaPackage(
    'domain "orders", commands',
    () => async (input: unknown) => schema.parse(input),
  );
  await expect(refused).rejects.toThrow(
    /^The handler of domain "orders", commands cannot be serialized into a Lambda package: [^]* captured\n +variable 'schema' which indirectly referenced\n/,
  );
});

test("A handler that requires a library which is not there is refused, naming its owner", async () => {
  const factory = () => {
    const missing = require("no-such-library-anywhere") as unknown;
    return async () => missing;
  };
  const refused = lambdaPackage('domain "orders", relay', factory);
  await expect(refused).rejects.toMatchObject({ code: "PACKAGE_NOT_BUNDLED" });
  await expect(refused).rejects.toThrow(
    /^The package of domain "orders", relay cannot be bundled: [^]*no-such-library-anywhere/,
  );
});

/** A project with a library, whose handler is packaged by a process of its own each time. */
function project() {
  const root = mkdtempSync(join(folder, "project-"));
  mkdirSync(join(root, "node_modules", "library"), { recursive: true });
  const path = require.resolve("../../../dist/components/function/lambda-package.js");
  const script = `
    const factory = () => { const library = require("library"); return async () => library; };
    require(${JSON.stringify(path)}).lambdaPackage("a test", factory).then((text) => process.stdout.write(text));`;
  const write = (name: string, text: string, ageSeconds: number) => {
    writeFileSync(join(root, name), text);
    utimesSync(join(root, name), Date.now() / 1_000 - ageSeconds, Date.now() / 1_000 - ageSeconds);
  };
  const cache = join(root, ".domains", "cache", "packages");
  return {
    lock: (text: string) => write("package-lock.json", text, 0),
    library: (text: string, ageSeconds: number) => write("node_modules/library/index.js", text, ageSeconds),
    package: (environment = {}) =>
      execFileSync(process.execPath, ["-e", script], {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...environment },
      }),
    /** The files of the cache; a bundle that was made again is another file of the same name. */
    entries: () => readdirSync(cache).map((name) => statSync(join(cache, name)).ino),
  };
}

test(
  "A package is bundled once for all runs, and again when a library in it or the lock file has changed",
  { timeout: 120_000 },
  () => {
    const shop = project();
    shop.lock("one");
    shop.library('module.exports = "first";', 60);
    const first = shop.package();
    expect(first).toContain("first");
    const entries = shop.entries();
    expect(entries).toHaveLength(1);
    expect(shop.package()).toBe(first);
    expect(shop.entries()).toEqual(entries);
    shop.library('module.exports = "other";', 30);
    expect(shop.package()).toContain("other");
    expect(shop.entries()).not.toEqual(entries);
    shop.lock("two");
    expect(shop.package()).toContain("other");
    expect(shop.entries()).toHaveLength(2);
  },
);

test("Bundles are kept in another folder where DOMAINS_PACKAGE_CACHE names one", () => {
  const shop = project();
  shop.library("module.exports = 1;", 60);
  const elsewhere = mkdtempSync(join(folder, "elsewhere-"));
  shop.package({ DOMAINS_PACKAGE_CACHE: elsewhere });
  expect(readdirSync(elsewhere)).toHaveLength(1);
  expect(() => shop.entries()).toThrow("ENOENT");
});
