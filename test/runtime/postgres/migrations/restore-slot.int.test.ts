import { expect, test } from "vitest";
import { migrateUp } from "../../../../dist/runtime/postgres/migrate.js";
import { FIXTURE_MIGRATIONS } from "../../../support/postgres/fixture-migrations.js";
import { changes } from "../../../local/capture/captured-database.js";
import { connect, freshDatabase } from "../../../support/postgres/postgres.js";

// A clone of a migrated database has no slot, like a database that was restored.

async function up(databaseUrl: string): Promise<{ migrations: unknown[]; lines: string[] }> {
  const lines: string[] = [];
  // The role of the clone's module is that of the template, and loses its rights.
  const report = (line: string) => void (line.startsWith("Role ") || lines.push(line));
  const migrations = await migrateUp({
    databaseUrl,
    domainMigrations: FIXTURE_MIGRATIONS,
    domains: [],
    report,
  });
  return { migrations, lines };
}

test("a database that was restored without its slot gets one, and the operator learns what it does not capture", async () => {
  const { url, name } = await freshDatabase();
  const client = await connect(url);
  await changes(client, 2, 3);
  const { migrations, lines } = await up(url);
  expect(migrations).toEqual([]);
  expect(lines).toEqual([
    `Created the replication slot "${name}_outbox", which was missing. It captures what is committed from now on. The outbox has ` +
      '6 event(s) from before. Events that were not captured have to be published from the outbox: see "A lost slot" in docs/operations.md',
  ]);
  const { rows } = await client.query(
    "select plugin, database from pg_replication_slots where slot_name = $1",
    [`${name}_outbox`],
  );
  expect(rows).toEqual([{ plugin: "test_decoding", database: name }]);
  expect(await up(url)).toEqual({ migrations: [], lines: [] });
});

test("a slot that exists is left alone, with what it retains", async () => {
  const { url, name } = await freshDatabase({ slot: true });
  const client = await connect(url);
  const slot = () =>
    client.query("select restart_lsn, confirmed_flush_lsn from pg_replication_slots where slot_name = $1", [
      `${name}_outbox`,
    ]);
  const before = (await slot()).rows;
  expect(await up(url)).toEqual({ migrations: [], lines: [] });
  expect((await slot()).rows).toEqual(before);
});

test("ten runs at once create one slot, and none fails", async () => {
  const { url } = await freshDatabase();
  const runs = await Promise.all(Array.from({ length: 10 }, () => up(url)));
  expect(runs.flatMap(({ lines }) => lines)).toHaveLength(1);
});
