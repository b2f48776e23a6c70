import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findMinistack, isCompatible } from "../../../../dist/local/servers/emulator/find-ministack.js";
import type { RunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { openRunDirectory } from "../../../../dist/local/servers/run/run-directory.js";
import { temporaryFolder } from "../temporary-folder";

let bin: string;
let run: RunDirectory;
let lines: string[];

beforeEach(async () => {
  const project = temporaryFolder();
  bin = join(project, "bin");
  mkdirSync(bin);
  vi.stubEnv("PATH", `${bin}:/usr/bin:/bin`);
  vi.stubEnv("PYTHON", "");
  run = await openRunDirectory(project);
  lines = [];
});
afterEach(async () => {
  await run.close();
  vi.unstubAllEnvs();
});

/** A program that answers like a Python of this version; `elsewise` is what it does for anything but the probe. */
function pretendPython(
  name: string,
  version: [number, number],
  ministack: string | null,
  elsewise = "exit 1",
): string {
  const path = join(bin, name);
  const answer = JSON.stringify({ executable: path, version, ministack, pip: null });
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = "-c" ]; then echo '${answer}'; else ${elsewise}; fi\n`);
  chmodSync(path, 0o755);
  return path;
}

const find = (): Promise<{ executable: string; version: string }> =>
  findMinistack(run, (line) => lines.push(line));

test.each([
  ["1.5.33", true],
  ["1.5.34", true],
  ["1.6.0", true],
  ["1.5.33.post1", true],
  ["1.5.32", false],
  ["1.4.99", false],
  ["2.0.0", false],
  ["dev", false],
])("version %s: usable is %s", (version, usable) => {
  expect(isCompatible(version)).toBe(usable);
});

test("the interpreter of a ministack command on the PATH comes first", async () => {
  const python = pretendPython("python3.99", [3, 12], "1.5.40");
  pretendPython("python3", [3, 12], "1.5.33");
  writeFileSync(join(bin, "ministack"), `#!${python}\nimport sys\n`);
  expect(await find()).toEqual({ executable: python, version: "1.5.40" });
});

test("the first lines of a command in a folder with a long name are understood", async () => {
  const python = pretendPython("python3.99", [3, 12], "1.5.40");
  writeFileSync(join(bin, "ministack"), `#!/bin/sh\n'''exec' "${python}" "$0" "$@"\n' '''\n`);
  expect(await find()).toEqual({ executable: python, version: "1.5.40" });
});

test("a MiniStack in the Python in use is taken, an older one is named and left", async () => {
  const python = pretendPython("python3", [3, 12], "1.5.33");
  expect(await find()).toEqual({ executable: python, version: "1.5.33" });
  const old = pretendPython("python3", [3, 12], "1.4.21");
  await expect(find()).rejects.toMatchObject({ code: "EMULATOR_INSTALL_FAILED" });
  expect(lines[0]).toBe(
    `MiniStack 1.4.21 of ${old} is not used: this project needs 1.5.33 or newer of the same major version`,
  );
});

test("PYTHON names the interpreter and comes before the PATH", async () => {
  pretendPython("python3", [3, 12], "1.5.33");
  const named = pretendPython("my-python", [3, 12], "1.5.34");
  vi.stubEnv("PYTHON", named);
  expect(await find()).toEqual({ executable: named, version: "1.5.34" });
});

test("a PYTHON that does not run is an error that says what to do", async () => {
  vi.stubEnv("PYTHON", "/nowhere/python");
  await expect(find()).rejects.toMatchObject({
    code: "PYTHON_MISSING",
    message: expect.stringMatching(
      /^PYTHON is "\/nowhere\/python", which is not a Python that runs, and the AWS emulator .* needs one\. Install Python 3\.10 or newer/,
    ) as string,
  });
});

test("without any Python the error says what to install", async () => {
  vi.stubEnv("PATH", bin);
  await expect(find()).rejects.toMatchObject({
    code: "PYTHON_MISSING",
    message: expect.stringContaining('no Python on the PATH (neither "python3" nor "python")') as string,
  });
});

test("a Python older than 3.10 is refused", async () => {
  const python = pretendPython("python3", [3, 9], null);
  await expect(find()).rejects.toMatchObject({
    code: "PYTHON_TOO_OLD",
    message: expect.stringContaining(`Python "3.9" (${python}) is too old`) as string,
  });
});

test("a missing venv module is answered with the remedy and the end of the output", async () => {
  pretendPython("python3", [3, 12], null, "echo 'ensurepip is not available' >&2; exit 1");
  await expect(find()).rejects.toMatchObject({
    code: "EMULATOR_INSTALL_FAILED",
    message:
      "Creating a virtual environment for the AWS emulator failed (exit code 1). " +
      "Install Python's venv module (Debian and Ubuntu: apt install python3-venv), install it yourself (pipx install ministack), " +
      "or set AWS_ENDPOINT_URL to a MiniStack that runs already. The end of the output:\n    ensurepip is not available",
  });
});
