import { expect, test } from "vitest";
import { REGISTERED } from "../support/program/domain-sources";
import { hashesOf, runProgram } from "../support/program/run-program";
import { temporaryFolder } from "../support/process/temporary-folder";

const folder = temporaryFolder();
const domains = REGISTERED.registry.all.length > 0 ? "registered" : "fixture";

test(`A program with the ${domains} domains that \`pulumi up\` loads and type-checks has the very packages of the build, byte for byte`, async () => {
  const built = await runProgram(folder, { domains, load: "build" });
  const loaded = await runProgram(folder, { domains, load: "pulumi", typeCheck: true });
  expect(hashesOf(loaded)).toEqual(hashesOf(built));
});
