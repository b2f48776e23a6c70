import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { command, type NewRowOf, type StagedChange, withKysely } from "../../../runtime";
import { answerCommand } from "../../../runtime/command/handler";
import type { ChangeBuilders, KyselyHandle } from "../../../runtime/define/handles";
import { kyselyHandle } from "../../../runtime/postgres/store";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { orderLines } from "../../support/domain/order-line";

type Builders = ChangeBuilders<"order_lines", typeof orderLines>;
type Describe = Parameters<KyselyHandle<"order_lines", typeof orderLines>["change"]>[0];

let bank: BankDatabase;
let lines: KyselyHandle<"order_lines", typeof orderLines>;
beforeAll(async () => {
  bank = await bankDatabase();
  await bank.admin.query(
    "create unique index order_lines_once on order_lines (site_url) where site_url <> ''",
  );
  // As `HandlesOf` types it for commands.
  lines = kyselyHandle(bank.db, "order_lines", orderLines) as unknown as typeof lines;
});

const commit = (...changes: StagedChange[]) => bank.store.commit(changes, { correlationId: "request-1" });
const changed = (describe: Describe) => commit(lines.change(describe).raise("LinePlaced"));
const newLine = (orderID: string): NewRowOf<typeof orderLines> => ({
  orderID,
  buyerName: "Ada",
  siteURL: `https://${orderID}.example`,
  address2: "2nd floor",
  lineCount: 1,
  unitCostCents: 250,
});
/** What an event says of a line. */
const stateOf = ({ unitCostCents: _, ...state }: NewRowOf<typeof orderLines>) => state;
async function placed(): Promise<string> {
  const orderID = uuid();
  expect(await changed((table) => table.insert(newLine(orderID)))).toMatchObject({ outcome: "committed" });
  return orderID;
}
/** "<version> <count of the state>" of each event. */
const counts = async (orderID: string) =>
  (await bank.events(orderID)).map(
    ({ aggregate_version, payload }) => `${aggregate_version} ${String(payload.state?.["lineCount"])}`,
  );
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe("a change in a module's own builders", () => {
  test("inserts under the field names, at the first version, and the event has the contract's names", async () => {
    const orderID = await placed();
    expect(await lines.get(orderID)).toEqual({ ...newLine(orderID), version: 1 });
    expect((await bank.events(orderID)).map(({ payload }) => payload)).toEqual([
      { change: {}, state: stateOf(newLine(orderID)) },
    ]);
  });

  test("sets expressions over fields, whatever their columns are called", async () => {
    const orderID = await placed();
    await changed((table) =>
      table
        .update({ lineCount: sql`line_count + 1`, unitCostCents: null })
        .set((eb) => ({ buyerName: eb.fn<string>("concat", ["buyerName", "address2"]) }))
        .where("orderID", "=", orderID)
        .where("buyerName", "=", "Ada"),
    );
    const expected = { ...newLine(orderID), lineCount: 2, buyerName: "Ada2nd floor", unitCostCents: null };
    expect(await lines.get(orderID)).toEqual({ ...expected, version: 2 });
    expect((await bank.events(orderID))[1]!.payload.state).toEqual(stateOf(expected));
  });

  test("looks into the table itself", async () => {
    const [one, other] = [await placed(), await placed()];
    await changed((table) => table.update({ lineCount: 7 }).where("orderID", "=", one));
    await changed((table) =>
      table
        .update({})
        .set((eb) => ({
          lineCount: eb
            .selectFrom("order_lines as any")
            .where("any.orderID", "=", one)
            .select("any.lineCount")
            .$asScalar(),
        }))
        .where("orderID", "in", lines.select().select("orderID").where("orderID", "=", other)),
    );
    expect(await lines.get(other)).toMatchObject({ lineCount: 7, version: 2 });
  });

  test("builds upon a concurrent change without a condition on the version, and conflicts with one", async () => {
    const orderID = await placed();
    const counting = (table: Builders) =>
      table.update({ lineCount: sql`line_count + 1` }).where("orderID", "=", orderID);
    for (const _ of upTo(2)) expect(await changed(counting)).toMatchObject({ outcome: "committed" });
    expect(await changed((table) => counting(table).where("version", "=", 2))).toMatchObject({
      outcome: "conflict",
    });
    expect(
      await changed((table) => table.delete().where("orderID", "=", orderID).where("version", "=", 2)),
    ).toMatchObject({
      outcome: "conflict",
    });
    expect(await counts(orderID)).toEqual(["1 1", "2 2", "3 3"]);
  });

  test("deletes, and its event has no state", async () => {
    const orderID = await placed();
    await changed((table) => table.delete().where("orderID", "=", orderID));
    expect(await lines.find(orderID)).toBeUndefined();
    expect(await counts(orderID)).toEqual(["1 1", "2 undefined"]);
  });

  test("is no change that a handler can return without its event, and never sets the version", () => {
    // @ts-expect-error -- it lacks its event
    const unraised: StagedChange = lines.change((table) => table.delete());
    expect(Object.keys(unraised)).toEqual(["raise"]);
    // @ts-expect-error -- the version is the runtime's
    void ((table: Builders) => table.update({ version: 7 }));
    // @ts-expect-error -- the version is the runtime's
    void ((table: Builders) => table.insert({ ...newLine("a"), version: 7 }));
    // @ts-expect-error -- the version is the runtime's
    void ((table: Builders) => table.update({}).set({ version: 7 }));
    // @ts-expect-error -- the key stays
    void ((table: Builders) => table.update({ orderID: "b" }));
  });
});

describe("an upsert", () => {
  const counting = (orderID: string) => (table: Builders) =>
    table
      .insert(newLine(orderID))
      .onConflict((on) => on.column("orderID").doUpdateSet({ lineCount: sql`order_lines.line_count + 1` }));

  test("creates what is new and raises the version of what exists, each time with one event of what is there then", async () => {
    const orderID = uuid();
    for (const version of upTo(3)) {
      expect(await changed(counting(orderID))).toMatchObject({
        outcome: "committed",
        changes: [{ id: orderID, version }],
      });
      expect(await lines.get(orderID)).toEqual({ ...newLine(orderID), lineCount: version, version });
    }
    expect(await counts(orderID)).toEqual(["1 1", "2 2", "3 3"]);
    expect((await bank.events(orderID))[2]!.payload.state).toEqual({
      ...stateOf(newLine(orderID)),
      lineCount: 3,
    });
  });

  test("by many at once serves all of them, each with its own version", async () => {
    const orderID = uuid();
    const all = await Promise.all(upTo(20).map(() => changed(counting(orderID))));
    expect(new Set(all.map(({ outcome }) => outcome))).toEqual(new Set(["committed"]));
    expect(await counts(orderID)).toEqual(upTo(20).map((version) => `${version} ${version}`));
  });

  test("among other changes, and of what runs once, is written with them", async () => {
    const [orderID, other, messageId] = [await placed(), uuid(), uuid()];
    const changes = [
      lines.change(counting(orderID)).raise("LinePlaced"),
      lines.create(newLine(other)).raise("LinePlaced"),
    ];
    const once = { correlationId: "request-1", once: { consumer: "sales.commands", messageId } };
    expect(await bank.store.commit(changes, once)).toMatchObject({ outcome: "committed" });
    expect(await bank.store.commit(changes, once)).toEqual({ outcome: "duplicate" });
    expect(await counts(orderID)).toEqual(["1 1", "2 2"]);
    expect(await counts(other)).toEqual(["1 1"]);
  });

  test("of what was deleted goes on with its versions", async () => {
    const orderID = await placed();
    await changed((table) => table.delete().where("orderID", "=", orderID));
    expect(await changed(counting(orderID))).toMatchObject({
      outcome: "committed",
      changes: [{ version: 3 }],
    });
    expect(await changed(counting(orderID))).toMatchObject({
      outcome: "committed",
      changes: [{ version: 4 }],
    });
    expect(await counts(orderID)).toEqual(["1 1", "2 undefined", "3 1", "4 2"]);
  });

  test("on another unique column changes the row that has the value, and the event is that row's", async () => {
    const [orderID, other] = [await placed(), uuid()];
    const outcome = await changed((table) =>
      table
        .insert({ ...newLine(other), siteURL: newLine(orderID).siteURL, buyerName: "Eve" })
        .onConflict((on) =>
          on
            .column("siteURL")
            .where("siteURL", "<>", "")
            .doUpdateSet((eb) => ({ buyerName: eb.ref("excluded.buyerName"), unitCostCents: 1 })),
        ),
    );
    expect(outcome).toMatchObject({ outcome: "committed", changes: [{ id: orderID, version: 2 }] });
    expect(await lines.get(orderID)).toMatchObject({ buyerName: "Eve", unitCostCents: 1, version: 2 });
    expect(await bank.events(other)).toEqual([]);
  });

  test("that leads to an invalid state is refused, and nothing is written", async () => {
    const orderID = await placed();
    const wrong = changed((table) =>
      table
        .insert(newLine(orderID))
        .onConflict((on) => on.column("orderID").doUpdateSet({ lineCount: sql`order_lines.line_count - 2` })),
    );
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect(await counts(orderID)).toEqual(["1 1"]);
  });

  test("that is not to update what it finds is a conflict, and never taken for a creation of what exists", async () => {
    const orderID = await placed();
    const outcome = await changed((table) =>
      table
        .insert(newLine(orderID))
        .onConflict((on) =>
          on.column("orderID").doUpdateSet({ lineCount: 5 }).where("order_lines.lineCount", ">", 100),
        ),
    );
    expect(outcome).toMatchObject({ outcome: "conflict" });
    expect(outcome).not.toHaveProperty("existing");
    expect(await counts(orderID)).toEqual(["1 1"]);
  });
});

describe("an insert that is to do nothing when the row exists", () => {
  const unlessThere = (orderID: string) => (table: Builders) =>
    table.insert(newLine(orderID)).onConflict((on) => on.column("orderID").doNothing());

  test("creates what is new", async () => {
    const orderID = uuid();
    expect(await changed(unlessThere(orderID))).toMatchObject({
      outcome: "committed",
      changes: [{ version: 1 }],
    });
  });

  test("raises no event for what exists: the command is rejected as any that creates what exists", async () => {
    const orderID = await placed();
    const place = command({
      uses: { order_lines: withKysely(orderLines) },
      input: () => z.object({}),
      handle: async (_, { order_lines }) => order_lines.change(unlessThere(orderID)).raise("LinePlaced"),
    });
    expect(
      await answerCommand("sales", { place }, bank.store, { command: "place", input: {} }),
    ).toMatchObject({
      outcome: "rejected",
      code: "ORDER_LINE_EXISTS",
    });
    expect(await counts(orderID)).toEqual(["1 1"]);
  });
});

describe("a module's table with columns of other names", () => {
  test("leaves a field that is not given to its column's default, and the event has what is there", async () => {
    const orderID = uuid();
    const { siteURL: _, ...given } = newLine(orderID);
    // As a command in plain JavaScript could: the types ask for every public field.
    expect(await commit(lines.create(given as never).raise("LinePlaced"))).toMatchObject({
      outcome: "committed",
    });
    const read = await lines.get(orderID);
    expect(read).toEqual({ ...given, siteURL: "https://example.com", version: 1 });
    await commit(lines.update(read, { siteURL: `https://${orderID}.example` }).raise("LinePlaced"));
    expect((await bank.events(orderID)).map(({ payload }) => payload.state?.["siteURL"])).toEqual([
      "https://example.com",
      `https://${orderID}.example`,
    ]);
  });
});
