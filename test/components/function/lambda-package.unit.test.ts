import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { lambdaPackage } from "../../../dist/components/function/lambda-package.js";
import { temporaryFolder } from "../../support/temporary-folder";

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
    /^The handler of domain "orders", commands cannot be serialized into a Lambda package: [^]* captured\n +'largest', a function [^]*\nCapture only functions and plain data; make clients and schemas inside the factory \(docs\/handlers\.md\)\.$/,
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
