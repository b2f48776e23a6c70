import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, command, table, withKysely } from "../../../runtime";
import { answerCommand } from "../../../runtime/command/handler";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});

describe("a value that its column cannot hold is answered as invalid, with its field, and nothing is written:", () => {
  const Stock = aggregate("hotel.Stock", {
    key: "stockId",
    state: () =>
      z.object({
        stockId: z.string(),
        count: z.number(),
        code: z.string(),
        price: z.string(),
        day: z.string(),
        at: z.string(),
        flag: z.string(),
        share: z.number(),
        wide: z.string(),
      }),
    events: { StockPut: () => z.object({}) },
  });
  const stock = table(Stock);
  const put = command({
    uses: { stock },
    input: Stock.state,
    handle: async (given, { stock }) => stock.create(given).raise("StockPut"),
  });
  const add = command({
    uses: { stock: withKysely(stock) },
    input: () => z.object({ stockId: z.string() }),
    handle: async ({ stockId }, { stock }) =>
      stock
        .change((table) => table.update({ count: sql`count + 2147483647` }).where("stockId", "=", stockId))
        .raise("StockPut"),
  });
  const look = command({
    uses: { stock: withKysely(stock) },
    input: () => z.object({ count: z.number() }),
    async handle({ count }, { stock }) {
      await stock.select().where("count", "=", count).selectAll().execute();
      return [];
    },
  });
  const commands = { put, add, look };
  const sendStock = (name: keyof typeof commands, input: unknown) =>
    answerCommand("hotel", commands, bank.store, { command: name, input });
  const item = (more: object = {}) => ({
    stockId: uuid(),
    count: 1,
    code: "abc",
    price: "1.50",
    day: "2026-11-27",
    at: "2026-11-27T10:00:00Z",
    flag: "up",
    share: 0.5,
    wide: "x",
    ...more,
  });
  beforeAll(() =>
    bank.admin.query(`
      create type flag as enum ('up', 'down');
      create table stock (
        stock_id text primary key, count integer not null, code varchar(5) not null, price numeric(5,2) not null, day date not null,
        at timestamptz not null, flag flag not null, share real not null, wide text not null, version integer not null
      );
      create index stock_code on stock (code);
      grant select, insert, update, delete on stock to monolith_application;
      select guard_entity_table('stock', 'hotel.Stock', 'stock_id');
    `),
  );

  test.each<[string, object, string, string]>([
    ["2^53-1 in an integer", { count: Number.MAX_SAFE_INTEGER }, "count", "integer"],
    ["-2^31-1 in an integer", { count: -2_147_483_649 }, "count", "integer"],
    ["a fraction in an integer", { count: 1.5 }, "count", "integer"],
    ["a text too long for varchar(5)", { code: "abcdef" }, "code", "character varying(5)"],
    ["a number too large for numeric(5,2)", { price: "1000.00" }, "price", "numeric(5,2)"],
    ["a text in a numeric", { price: "cheap" }, "price", "numeric(5,2)"],
    ["a day that does not exist", { day: "2026-02-30" }, "day", "date"],
    ["a day out of range", { day: "9999999-01-01" }, "day", "date"],
    ["an hour that does not exist", { at: "2026-11-27T25:61:00Z" }, "at", "timestamp with time zone"],
    ["a value that an enum does not have", { flag: "sideways" }, "flag", "flag"],
    ["a number out of range of real", { share: 9e-60 }, "share", "real"],
  ])("%s", async (_, wrong, path, type) => {
    const before = await written();
    const answer = await sendStock("put", item(wrong));
    const message = `does not fit its column, which is ${type}`;
    expect(answer).toEqual({
      outcome: "invalid",
      message: `The input of "put" is not valid: ${path}: ${message}.`,
      issues: [{ path, message }],
    });
    expect(await written()).toBe(before);
  });

  test("several at once", async () => {
    const answer = await sendStock("put", item({ count: 2 ** 40, code: "too long" }));
    expect(answer).toMatchObject({ outcome: "invalid", issues: [{ path: "count" }, { path: "code" }] });
  });

  test("a result that only the database computes, and a value that a command reads by", async () => {
    const one = item();
    expect(await sendStock("put", one)).toMatchObject({ outcome: "done" });
    expect(await sendStock("add", { stockId: one.stockId })).toMatchObject({
      outcome: "invalid",
      issues: [{ path: "" }],
    });
    expect(await sendStock("look", { count: 2 ** 40 })).toMatchObject({ outcome: "invalid" });
  });

  test("a key that no store holds, and an event over the limit", async () => {
    expect(await sendStock("put", item({ stockId: "x".repeat(257) }))).toMatchObject({ outcome: "invalid" });
    expect(await sendStock("put", item({ stockId: "" }))).toMatchObject({ outcome: "invalid" });
    expect(await sendStock("put", item({ wide: "x".repeat(250_000) }))).toMatchObject({ outcome: "invalid" });
  });
});

async function written(): Promise<number> {
  const { rows } = await bank.admin.query<{ rows: number }>(
    "select (select count(*) from stock) + (select count(*) from outbox) as rows",
  );
  return Number(rows[0]!.rows);
}
