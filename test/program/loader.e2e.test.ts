import { expect, test } from "vitest";
import { hashesOf, runProgram } from "../support/run-program";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder();

test("A program that `pulumi up` loads and type-checks has the very packages of the build, byte for byte", async () => {
  const built = await runProgram(folder, { load: "build" });
  const loaded = await runProgram(folder, { load: "pulumi", typeCheck: true });
  expect(hashesOf(loaded)).toEqual(hashesOf(built));
});
