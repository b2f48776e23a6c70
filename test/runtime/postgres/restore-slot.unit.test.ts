import type { Client } from "pg";
import { expect, test } from "vitest";
import { restoreSlot } from "../../../runtime/postgres/restore-slot";

// That a missing slot is created, restore-slot.int.test.ts shows. A log is lost only on a full disk.

/** A database that has a slot in this state, and the statements that it was sent. */
function databaseWith(wal_status: string) {
  const statements: string[] = [];
  const query = (text: string) => {
    statements.push(text);
    return Promise.resolve({ rows: [{ name: "shop_outbox", wal_status, exists: true }] });
  };
  return { client: { query } as unknown as Client, statements };
}

test("A slot that has lost its log is reported with its remedy, and not touched", async () => {
  const { client, statements } = databaseWith("lost");
  const lines: string[] = [];
  await restoreSlot(client, (line) => void lines.push(line));
  expect(lines).toEqual([
    'The replication slot "shop_outbox" has lost its log (max_slot_wal_keep_size), so nothing is captured. Drop it ' +
      "(select pg_drop_replication_slot('shop_outbox')) and run the migrations again, which create it again. Events that were not " +
      'captured have to be published from the outbox: see "A lost slot" in docs/operations.md',
  ]);
  expect(statements).toHaveLength(1);
});

test.each(["reserved", "extended", "unreserved"])(
  "A slot that still has its log (%s) is no news",
  async (state) => {
    const { client, statements } = databaseWith(state);
    const lines: string[] = [];
    await restoreSlot(client, (line) => void lines.push(line));
    expect(lines).toEqual([]);
    expect(statements).toHaveLength(1);
  },
);
