import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { expect, test } from "vitest";
import { migrateDown, migrateUp } from "../../../../dist/runtime/postgres/migrate.js";
import { FIXTURE_MIGRATIONS } from "../../../support/postgres/fixture-migrations.js";
import { connect, sharedPostgres } from "../../../support/postgres/postgres.js";

/** Runs a test on an empty database in an encoding. */
async function inEncoding(
  encoding: string,
  work: (url: string, name: string) => Promise<void>,
): Promise<void> {
  const { adminUrl } = sharedPostgres();
  const admin = await connect(adminUrl);
  const name = `test_${randomBytes(6).toString("hex")}`;
  await admin.query(
    `create database ${name} template template0 encoding '${encoding}' locale_provider libc locale 'C'`,
  );
  try {
    await work(Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href, name);
  } finally {
    await admin.query(
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = '${name}'`,
    );
    await admin.query(`drop database ${name} with (force)`);
  }
}
const options = (databaseUrl: string) => ({ databaseUrl, domainMigrations: FIXTURE_MIGRATIONS, domains: [] });

test.each(["LATIN1", "LATIN9", "WIN1252", "EUC_JP", "SQL_ASCII"])(
  "a database in %s is refused before anything is migrated, with the remedy",
  async (encoding) => {
    await inEncoding(encoding, async (url, name) => {
      await expect(migrateUp(options(url))).rejects.toMatchObject({
        code: "DATABASE_NOT_UTF8",
        message:
          `Database "${name}" stores text in the encoding ${encoding}, and change data capture needs UTF8: events would be published ` +
          "with broken characters. Create another database (create database <name> template template0 encoding 'UTF8' locale 'C.UTF-8') " +
          "and move the data into it with pg_dump. Nothing was migrated.",
      });
      const client = new Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query(
        "select relname from pg_class where relnamespace = 'public'::regnamespace",
      );
      await client.end();
      expect(rows).toEqual([]);
    });
  },
);

test("a database in UTF-8 is migrated, whatever encoding the client prefers", async () => {
  await inEncoding("UTF8", async (url) => {
    const latin = Object.assign(new URL(url), { search: "?client_encoding=LATIN1" }).href;
    expect(await migrateUp(options(latin))).not.toEqual([]);
  });
});

test("migrations that were run in another encoding, by an earlier version, can be undone", async () => {
  await inEncoding("LATIN1", async (url) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(
      "create table domain_migrations (id serial primary key, name varchar(255) not null, run_on timestamp not null)",
    );
    await client.end();
    expect(await migrateDown({ ...options(url), count: 1 })).toEqual([]);
  });
});
