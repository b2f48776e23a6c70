import { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { removeOldEvents, removeOldInboxRecords } from "../../../runtime/retention/old-rows";
import { agedEvents, agedInboxRecords, confirmCapture, countOlder } from "../../support/postgres/aged-rows";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres/postgres";

/** A pool whose connections plan joins in one way only: it decides in which order rows are locked. */
function poolThat(database: FreshDatabase, ...settings: string[]): Pool {
  const options = settings.map((setting) => `-c ${setting}`).join(" ");
  const pool = new Pool({ connectionString: database.as("monolith_retention").url, options, max: 2 });
  onTestFinished(() => pool.end());
  return pool;
}

test("Removals at the same time wait for each other, in whatever order their plans reach the rows", async () => {
  const database = await freshDatabase({ slot: true });
  onTestFinished(() => database.drop());
  const superuser = await connect(database.url);
  // The oldest lie last in the table: an index and a scan of the table reach them in opposite orders.
  for (let days = 31; days < 91; days += 1) {
    await agedEvents(superuser, 50, days);
    await agedInboxRecords(superuser, 50, days);
  }
  await confirmCapture(superuser, database);
  const pools = [
    poolThat(database, "enable_nestloop=off", "enable_mergejoin=off"),
    poolThat(database, "enable_hashjoin=off", "enable_mergejoin=off"),
  ];
  const removals = pools.flatMap((pool) =>
    Array.from({ length: 2 }, async () => {
      let removed = 0;
      for (let batch = 0; batch < 40; batch += 1) {
        const events = await removeOldEvents(pool, 30, { rows: 100, bytes: 10_000_000 });
        removed += events.removed + (await removeOldInboxRecords(pool, 30, 100));
      }
      return removed;
    }),
  );
  const removed = await Promise.all(removals);
  expect(removed.reduce((sum, one) => sum + one)).toBe(6_000);
  expect([await countOlder(superuser, "outbox", 30), await countOlder(superuser, "inbox", 30)]).toEqual([
    0, 0,
  ]);
});
