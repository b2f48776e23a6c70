import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { slotPosition } from "../../dist/runtime/postgres/slot-position.js";
import { freshDatabase } from "../support/postgres/postgres.js";

const MIGRATE = join(__dirname, "..", "..", "dist", "cli", "migrate.js");

/** What the command says, on standard error. */
function migrate(databaseUrl: string): string {
  const { stderr } = spawnSync(process.execPath, [MIGRATE], {
    encoding: "utf8",
    env: { ...process.env, DATABASE_URL: databaseUrl },
  });
  return stderr;
}

test("Migrating says where the slot starts, and how a new stack is told", async () => {
  const { url, name } = await freshDatabase({ migrated: false });
  const first = migrate(url);
  const { position } = (await slotPosition(url)) ?? {};
  const line = `The slot ${name}_outbox has the changes from ${position} on. For a new stack: pulumi config set captureStartPosition ${position}\n`;
  expect(first).toMatch(/\nDone: framework\/0001_roles, .*\n/);
  expect(first.endsWith(line)).toBe(true);
  expect(migrate(url)).toBe(`No migration to run.\n${line}`);
});
