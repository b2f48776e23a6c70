import { expect, test } from "vitest";
import { hashesOf, runProgram } from "../support/run-program";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder();
// What is handed to the bundler, which makes the same bytes of the same text (test/serialize/packages.unit.test.ts).
const [loaded, built] = await Promise.all([
  runProgram(folder, { load: "pulumi", bundle: false }),
  runProgram(folder, { load: "build", bundle: false }),
]);

test("Pulumi's own loader runs the program from its sources, without a build step", () => {
  expect(Object.keys(loaded).sort()).toEqual(Object.keys(built).sort());
  expect(Object.keys(loaded)).toHaveLength(15);
});

test("Handlers are serialized to the same text, whether Pulumi compiles the program or the build has", () => {
  expect(hashesOf(loaded)).toEqual(hashesOf(built));
});

test("Functions have the same environment, whether Pulumi compiles the program or the build has", () => {
  const variables = (functions: typeof loaded) =>
    Object.fromEntries(Object.entries(functions).map(([name, declared]) => [name, declared.variables]));
  expect(variables(loaded)).toEqual(variables(built));
});
