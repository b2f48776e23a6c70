import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BROKEN_BUILDS } from "../../dist/test/faults/broken-builds.js";
import { edited } from "../../dist/test/faults/run-broken-build.js";
import { GUARANTEES } from "../../dist/test/verdict/guarantees.js";

const DIST = join(__dirname, "..", "..", "dist");

describe.each(BROKEN_BUILDS)('the broken build "$name"', ({ edits }) => {
  test("alters the compiled program as it is now", () => {
    for (const edit of edits) {
      const text = readFileSync(join(DIST, edit.file), "utf8");
      expect(edited(text, edit)).not.toBe(text);
    }
  });
});

test("every guarantee has a build that breaks it", () => {
  const broken = new Set(BROKEN_BUILDS.flatMap(({ breaks }) => breaks));
  expect(Object.keys(GUARANTEES).filter((name) => !broken.has(name as keyof typeof GUARANTEES))).toEqual([]);
});

test("a text that does not occur exactly once is reported", () => {
  const edit = { file: "runtime/x.js", find: "b", replace: "c" };
  expect(() => edited("a", edit)).toThrowError(expect.objectContaining({ code: "BROKEN_BUILD_OUTDATED" }));
  expect(() => edited("bb", edit)).toThrowError(expect.objectContaining({ code: "BROKEN_BUILD_OUTDATED" }));
});
