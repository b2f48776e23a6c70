import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NewRowOf } from "../../../runtime";
import type { KyselyHandle } from "../../../runtime/define/handles";
import { kyselyHandle } from "../../../runtime/postgres/store";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { orderLines } from "../../support/domain/order-line";

type Line = NewRowOf<typeof orderLines>;

let bank: BankDatabase;
let lines: KyselyHandle<"order_lines", typeof orderLines>;
/** Of the lines of one test, which no other test has. */
let site: string;
beforeAll(async () => {
  bank = await bankDatabase();
  // As `HandlesOf` types it for commands.
  lines = kyselyHandle(bank.db, "order_lines", orderLines) as unknown as typeof lines;
});
beforeEach(() => {
  site = uuid();
});

/** Three lines: of Ada, Ada and Eve, with 1, 2 and 3 pieces. */
async function placed(): Promise<Line[]> {
  const made = ["Ada", "Ada", "Eve"].map((buyerName, index) => ({
    orderID: `${index + 1} ${site}`,
    buyerName,
    siteURL: site,
    address2: "2nd floor",
    lineCount: index + 1,
    unitCostCents: 100 * (index + 1),
  }));
  const changes = made.map((line) => lines.create(line).raise("LinePlaced"));
  expect(await bank.store.commit(changes, { correlationId: "c" })).toMatchObject({ outcome: "committed" });
  return made;
}
const atSite = () => lines.select().where("order_lines.siteURL", "=", site);

describe("a select in a module's own builders", () => {
  test("has the field names of the contract in its conditions, its order and its rows", async () => {
    const made = await placed();
    const all = await atSite().selectAll().orderBy("lineCount", "desc").execute();
    expect(all).toEqual(made.map((line) => ({ ...line, version: 1 })).reverse());
    const some = await atSite()
      .select(["orderID", "buyerName", "unitCostCents", "version"])
      .where("buyerName", "=", "Ada")
      .where("version", "=", 1)
      .where((eb) => eb.or([eb("lineCount", ">", 1), eb("unitCostCents", "is", null)]))
      .executeTakeFirst();
    expect(some).toEqual({ orderID: made[1]!.orderID, buyerName: "Ada", unitCostCents: 200, version: 1 });
  });

  test("keeps every alias as it is written, also one that is named like a field or a column", async () => {
    const { orderID } = (await placed())[0]!;
    const row = await atSite()
      .select([
        "buyerName as name",
        "orderID as order_id",
        "address2 as cust_no",
        "lineCount as unitCostCents",
        sql<string>`upper(cust_no)`.as("address2"),
      ])
      .where("orderID", "=", orderID)
      .execute();
    expect(row).toEqual([
      { name: "Ada", order_id: orderID, cust_no: "2nd floor", unitCostCents: 1, address2: "ADA" },
    ]);
    expect(() => atSite().select(["buyerName", "address2 as cust_no"]).compile()).toThrow(
      expect.objectContaining({
        code: "ALIAS_TAKEN",
        message:
          'The alias "cust_no" is the column of the field "buyerName", which the same query selects. Choose another alias.',
      }),
    );
    expect(() => atSite().selectAll().select("lineCount as site_url").compile()).toThrow('"site_url"');
  });

  test("groups and counts, and is ordered by what it counts", async () => {
    await placed();
    const counted = await atSite()
      .select(["buyerName", (eb) => eb.fn.sum<string>("lineCount").as("lineCount")])
      .groupBy("buyerName")
      .having((eb) => eb.fn.sum("lineCount"), ">", 0)
      .orderBy("buyerName", "desc")
      .execute();
    expect(counted).toEqual([
      { buyerName: "Eve", lineCount: 3 },
      { buyerName: "Ada", lineCount: 3 },
    ]);
  });

  test("joins the table to itself", async () => {
    const [first, second] = await placed();
    const pairs = await atSite()
      .innerJoin("order_lines as other", "other.buyerName", "order_lines.buyerName")
      .whereRef("order_lines.orderID", "<", "other.orderID")
      .where("other.siteURL", "=", site)
      .select([
        "order_lines.orderID",
        "other.orderID as otherID",
        sql.ref<number>("other.lineCount").as("more"),
      ])
      .execute();
    expect(pairs).toEqual([{ orderID: first!.orderID, otherID: second!.orderID, more: 2 }]);
  });

  test("looks into subqueries, be they conditions, values or tables", async () => {
    const [, second, third] = await placed();
    const inCondition = await atSite()
      .select("orderID")
      .where("orderID", "in", atSite().select("orderID").where("lineCount", ">", 2))
      .where((eb) =>
        eb.exists(eb.selectFrom("order_lines as any").select("any.orderID").where("any.lineCount", "=", 3)),
      )
      .execute();
    expect(inCondition).toEqual([{ orderID: third!.orderID }]);
    const asTable = await atSite()
      .innerJoin(
        (eb) =>
          eb
            .selectFrom("order_lines")
            .where("siteURL", "=", site)
            .select(["buyerName", (top) => top.fn.max("orderID").as("orderID")])
            .groupBy("buyerName")
            .as("last"),
        (join) => join.onRef("last.orderID", "=", "order_lines.orderID"),
      )
      .select(["last.orderID", "order_lines.lineCount"])
      .orderBy("last.orderID")
      .execute();
    expect(asTable).toEqual([
      { orderID: second!.orderID, lineCount: 2 },
      { orderID: third!.orderID, lineCount: 3 },
    ]);
    const asValue = await atSite()
      .select((eb) => [
        "lineCount",
        eb
          .selectFrom("order_lines as any")
          .whereRef("any.siteURL", "=", "order_lines.siteURL")
          .select((any) => any.fn.max("any.unitCostCents").as("highest"))
          .as("unitCostCents"),
      ])
      .orderBy("lineCount")
      .limit(1)
      .execute();
    expect(asValue).toEqual([{ lineCount: 1, unitCostCents: 300 }]);
  });

  test("does not know what the table does not have", () => {
    // @ts-expect-error -- a column's name, and no field
    expect(() => lines.select().select("cust_no").compile()).not.toThrow();
    // @ts-expect-error -- another table
    expect(() => lines.select().innerJoin("accounts", "accountId", "orderID").compile()).not.toThrow();
  });
});
