import { expect, test } from "vitest";
import { migrateUp } from "../../../dist/runtime/postgres/migrate.js";
import { slotPosition } from "../../../dist/runtime/postgres/slot-position.js";
import { FIXTURE_MIGRATIONS } from "../../support/postgres/fixture-migrations.js";
import { connect, freshDatabase } from "../../support/postgres/postgres.js";

test("the position of a migrated database's slot is where its first event is still ahead", async () => {
  const { url, name } = await freshDatabase({ migrated: false });
  await migrateUp({ databaseUrl: url, domainMigrations: FIXTURE_MIGRATIONS, domains: [] });
  const found = await slotPosition(url);
  expect(found).toEqual({
    slot: `${name}_outbox`,
    position: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) as string,
  });
  const client = await connect(url);
  await client.query("create table later (id int)");
  expect(await slotPosition(url)).toEqual(found);
  const { rows } = await client.query<{ ahead: boolean }>(
    "select pg_current_wal_lsn() > $1::pg_lsn as ahead",
    [found?.position],
  );
  expect(rows).toEqual([{ ahead: true }]);
});

test("any login may read it, and a database without its slot has none", async () => {
  const withSlot = await freshDatabase({ slot: true });
  expect(await slotPosition(withSlot.as("monolith_capture").url)).toMatchObject({
    slot: `${withSlot.name}_outbox`,
  });
  expect(await slotPosition((await freshDatabase()).url)).toBeUndefined();
});
