import { expect, test } from "vitest";
import { checkGivenPostgres } from "../../../../dist/local/servers/postgres/start-postgres.js";

const PLACE = "127.0.0.1:5432";
const GOOD = {
  version: "16.4",
  version_number: 160_004,
  wal_level: "logical",
  may_create: true,
  may_replicate: true,
  user: "me",
};
const OTHERWISE = "or unset DATABASE_URL to have a server started";

test("a server of version 16 or newer with logical decoding can be used", () => {
  expect(() => checkGivenPostgres(GOOD, PLACE)).not.toThrow();
});

test.each([
  [
    { version: "14.9", version_number: 140_009 },
    "DATABASE_TOO_OLD",
    `PostgreSQL at ${PLACE} is "14.9"; use 16 or newer, ${OTHERWISE}`,
  ],
  [
    { wal_level: "replica" },
    "DATABASE_WITHOUT_LOGICAL_DECODING",
    `PostgreSQL at ${PLACE} has wal_level "replica", and change data capture needs "logical". ` +
      `Run: alter system set wal_level = 'logical'; then restart the server; ${OTHERWISE}`,
  ],
  [
    { may_replicate: false },
    "DATABASE_NOT_PERMITTED",
    `Role "me" of PostgreSQL at ${PLACE} may not create databases, roles and replication slots. ` +
      `Run as a superuser: alter role "me" createdb createrole replication; ${OTHERWISE}`,
  ],
])("a server with %j is refused with the remedy", (facts, code, message) => {
  let error: unknown;
  try {
    checkGivenPostgres({ ...GOOD, ...facts }, PLACE);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code, message });
});
