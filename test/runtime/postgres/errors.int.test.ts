import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, type StagedChange, table } from "../../../runtime";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { postgresHandle } from "../../../runtime/postgres/store";
import { MAX_PAYLOAD_BYTES } from "../../../runtime/store/validation";
import { accountChanges } from "../../support/domain/account";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});

const commit = (...changes: StagedChange[]) =>
  commitToPostgres(bank.db, changes, { correlationId: "request-1" });
const changes = accountChanges(() => bank.accounts);
const opening = (accountId: string, owner = `owner of ${accountId}`) => changes.opening(accountId, { owner });
async function opened(): Promise<string> {
  const accountId = uuid();
  expect(await commit(opening(accountId))).toMatchObject({ outcome: "committed" });
  return accountId;
}

describe("an event over the limit", () => {
  /** The size of the payload as PostgreSQL measures it, of an account with an owner of no length. */
  const measured = async (accountId: string) => {
    const state = { accountId, owner: "", balance: 0, grade: "gold" };
    const payload = JSON.stringify({ change: {}, state });
    const { rows } = await bank.admin.query<{ bytes: number }>(
      "select octet_length($1::jsonb::text) as bytes",
      [payload],
    );
    return rows[0]!.bytes;
  };

  test("is refused with its measured size, in bytes of UTF-8, and nothing is written", async () => {
    const accountId = uuid();
    const room = MAX_PAYLOAD_BYTES - (await measured(accountId));
    const owner = (bytes: number) => "€".repeat(Math.floor(bytes / 3)) + "x".repeat(bytes % 3);
    for (const staged of [
      [opening(accountId, owner(room + 1))],
      [opening(uuid()), opening(accountId, owner(room + 1))],
    ]) {
      await expect(commit(...staged)).rejects.toMatchObject({
        code: "EVENT_TOO_LARGE",
        message: expect.stringContaining(`is ${MAX_PAYLOAD_BYTES + 1} bytes`) as string,
      });
    }
    expect(await bank.account(accountId)).toBeUndefined();
    expect(await bank.events(accountId)).toEqual([]);
  });

  test("is exactly what is over: a payload of the limit's size is written", async () => {
    const accountId = uuid();
    const room = MAX_PAYLOAD_BYTES - (await measured(accountId));
    expect(await commit(opening(accountId, "x".repeat(room)))).toMatchObject({ outcome: "committed" });
  });
});

describe("a change of more than one row", () => {
  test("is refused by a code, and nothing is written", async () => {
    const ids = [await opened(), await opened()];
    const silver = bank.accounts
      .change((table) => table.update({ grade: "silver" }).where("accountId", "in", ids))
      .raise("AccountRenamed");
    const deletion = bank.accounts
      .change((table) => table.delete().where("accountId", "in", ids))
      .raise("AccountRenamed");
    const refusal = {
      code: "MANY_ROWS_CHANGED",
      message:
        'The change of "AccountRenamed" touched more than one row of "accounts". Nothing was written. Select one row by its key: an event is about one aggregate.',
    };
    for (const staged of [silver, deletion]) {
      await expect(commit(staged)).rejects.toMatchObject(refusal);
      await expect(commit(opening(uuid()), staged)).rejects.toMatchObject(refusal);
    }
    for (const accountId of ids) expect(await bank.account(accountId)).toMatchObject({ version: 1 });
  });
});

describe("a key that changes", () => {
  test("is refused by the guard with a code, since no attempt could succeed, and nothing is written", async () => {
    const [accountId, other] = [await opened(), uuid()];
    const change = bank.accounts
      // The types do not let a module set the key.
      .change((table) => table.update({ accountId: other } as object).where("accountId", "=", accountId))
      .raise("AccountRenamed");
    await expect(commit(change)).rejects.toMatchObject({
      code: "GUARD_REFUSED",
      message: expect.stringContaining("cannot change") as string,
    });
    expect(await bank.account(accountId)).toMatchObject({ version: 1 });
  });
});

describe("an error that is none of a domain's constraints", () => {
  test("stays an error with its SQLSTATE, and nothing is written", async () => {
    const accountId = await opened();
    const change = bank.accounts
      .change((table) =>
        table.update({ grade: sql`no_such_function(grade)` }).where("accountId", "=", accountId),
      )
      .raise("AccountRenamed");
    await expect(commit(change)).rejects.toMatchObject({ code: "42883" });
    await expect(commit(opening(uuid()), change)).rejects.toMatchObject({ code: "42883" });
    expect(await bank.account(accountId)).toMatchObject({ version: 1 });
  });
});

describe("a contract with many fields", () => {
  test("publishes all of them", async () => {
    const fields = Array.from({ length: 120 }, (_, index) => `field${index}`);
    const shape = Object.fromEntries(fields.map((field) => [field, z.string()]));
    const Wide = aggregate("bank.Wide", {
      key: "field0",
      state: () => z.object(shape),
      events: { Widened: () => z.object({}) },
    });
    const wide = postgresHandle(bank.db, "wide", table(Wide));
    await bank.admin.query(`
      create table wide (${fields.map((field) => `${field} text`).join(", ")}, version integer not null, primary key (field0));
      grant select, insert, update, delete on wide to monolith_application;
      select guard_entity_table('wide', 'bank.Wide', 'field0');
    `);
    const state = Object.fromEntries(fields.map((field, index) => [field, `value ${index}`]));
    expect(await commit(wide.create(state).raise("Widened"))).toMatchObject({ outcome: "committed" });
    expect((await bank.events("value 0"))[0]!.payload.state).toEqual(state);
  });
});
