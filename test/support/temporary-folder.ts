import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/**
 * A new empty folder, far from the project's node_modules; removed when the test file has ended. Call it outside of
 * tests.
 */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "domain-consistency-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
