import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, table } from "../../../runtime";
import { checkTables } from "../../../runtime/postgres/contracts";
import { connect, freshDatabase } from "../../support/postgres/postgres";

let client: Client;
beforeAll(async () => {
  client = await connect((await freshDatabase()).url);
});

const Thing = aggregate("test.Thing", {
  key: "thingId",
  state: () => z.object({ thingId: z.uuid(), size: z.int(), label: z.string().nullable() }),
  events: { ThingMade: () => z.object({}) },
});
const things = table(Thing, { private: () => z.object({ noteText: z.string().nullish() }) });
const GUARD = "select guard_entity_table('things', 'test.Thing', 'thing_id');";

/** Compares `things` with a database in which this was run. @returns the lines of differences */
async function differences(sql: string, definition = things): Promise<string[]> {
  await client.query("begin");
  try {
    await client.query(sql);
    await checkTables(
      (text, values) => client.query(text, values),
      [{ domain: "test", name: "things", definition }],
    );
    return [];
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    if (code !== "TABLES_DIFFER") throw error;
    expect(message).toContain("npm run migrate");
    return message.split("\n").slice(1);
  } finally {
    await client.query("rollback");
  }
}
const made = (columns = "size integer not null, label text, note_text text", more = GUARD) =>
  `create table things (thing_id uuid primary key, ${columns}, version integer not null); ${more}`;

describe("a module's table", () => {
  test("that is as its domain registers it differs in nothing", async () => {
    expect(await differences(made())).toEqual([]);
    expect(
      await differences(made("size integer not null, label text, note_text text, other text not null")),
    ).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ["is missing", "select 1", /there is no table public\.things\. Create it/],
    [
      "is not guarded",
      made(undefined, ""),
      /it is not guarded.*select guard_entity_table\('things', 'test\.Thing', 'thing_id'\)/,
    ],
    [
      "is guarded for another aggregate",
      made(undefined, GUARD.replace("test.Thing", "test.Other")),
      /its guard is that of "test\.Other"/,
    ],
    ["lacks a column", made("size integer not null, note_text text"), /column "label" .*no such column/],
    [
      "lacks a private column",
      made("size integer not null, label text"),
      /column "note_text" .*no such column/,
    ],
    [
      "has a column that may be null",
      made("size integer, label text, note_text text"),
      /column "size" .*can be null/,
    ],
    [
      "has a column of another type",
      made("size text not null, label text, note_text text"),
      /column "size" .*its type text/,
    ],
    [
      "has padded texts",
      made("size integer not null, label char(9), note_text text"),
      /column "label" .*its type character/,
    ],
    [
      "has money",
      made("size integer not null, label money, note_text text"),
      /column "label" .*its type money/,
    ],
    [
      "has an array",
      made("size integer not null, label text[], note_text text"),
      /column "label" .*its type text\[\]/,
    ],
    [
      "has a number of any digits",
      made("size numeric not null, label text, note_text text"),
      /column "size" .*any digits/,
    ],
    [
      "has a number of 16 digits",
      made("size numeric(16) not null, label text, note_text text"),
      /column "size" .*16 digits/,
    ],
    [
      "has decimals",
      made("size numeric(9, 2) not null, label text, note_text text"),
      /column "size" .*decimals/,
    ],
    [
      "has a trigger switched off",
      `${made()} alter table things disable trigger guard_outbox`,
      /triggers are switched off: guard_outbox/,
    ],
    [
      "has a trigger that a replica skips",
      `${made()} alter table things enable trigger guard_removal`,
      /switched off: guard_removal/,
    ],
    ["has got a rule", `${made()} create rule r as on update to things do also nothing`, /has a rule/],
    ["has got an heir", `${made()} create table heirs () inherits (things)`, /shares rows with other tables/],
    [
      "hides rows from its owner",
      `${made()} alter table things force row level security`,
      /forces row security/,
    ],
  ])("that %s is refused, with the remedy", async (_what, sql, line) => {
    expect(await differences(sql)).toEqual([expect.stringMatching(line)]);
  });

  test("of a domain type is judged by its base, and by its not null", async () => {
    const domain = "create domain whole as integer not null;";
    expect(await differences(`${domain} ${made("size whole, label text, note_text text")}`)).toEqual([]);
    const money = "create domain price as numeric(20, 2);";
    expect(await differences(`${money} ${made("size price not null, label text, note_text text")}`)).toEqual([
      expect.stringMatching(/20 digits/),
    ]);
  });

  test("tells every difference at once", async () => {
    expect(await differences(made("size text", ""))).toHaveLength(4);
  });
});

describe("guard_entity_table", () => {
  test.each([
    [
      "unlogged",
      "create unlogged table things (thing_id uuid primary key, version integer not null)",
      "is not permanent",
    ],
    [
      "temporary",
      "create temp table things (thing_id uuid primary key, version integer not null)",
      "is not permanent",
    ],
    [
      "with texts that are equal although they differ",
      "create collation loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false); create table things (thing_id text collate loose primary key, version integer not null)",
      "by which different texts are equal",
    ],
    [
      "with a deferrable key",
      "create table things (thing_id uuid primary key deferrable, version integer not null)",
      "not deferrable",
    ],
    [
      "with a generated key",
      "create table things (seed text, thing_id text generated always as (seed || 'x') stored primary key, version integer not null)",
      'has a key "thing_id" whose text is not the same everywhere',
    ],
    ["that is a view", "create view things as select 1 as thing_id, 1 as version", "is no ordinary table"],
    [
      "that has a parent",
      "create table parents (thing_id uuid, version integer not null); create table things (primary key (thing_id)) inherits (parents)",
      "shares rows with other tables",
    ],
  ])("refuses a table %s", async (_what, create, problem) => {
    await expect(differences(`${create}; ${GUARD}`)).rejects.toMatchObject({
      code: "DC001",
      message: expect.stringContaining(problem) as string,
    });
  });
});
