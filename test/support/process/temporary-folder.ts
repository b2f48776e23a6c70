import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A new empty folder outside the project; removed after the test file. Call this outside of tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "domain-consistency-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
