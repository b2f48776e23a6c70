import { v7 as uuid } from "uuid";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { project } from "../../../runtime";
import type { ProjectionHandle } from "../../../runtime/define/handles";
import { makeProjectionHandler } from "../../../runtime/projection/handler";
import { Account } from "../../support/domain/account";
import { bankTables, PROJECTION_TABLE } from "../../support/dynamodb/bank-tables";
import { capturedLog } from "../../support/process/captured-log";
import { cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { lambdaContext } from "../../support/domain/outbox-records";

const bank = bankTables();
capturedLog();
beforeEach(() => {
  vi.stubEnv("PROJECTION_TABLES", JSON.stringify({ copies: PROJECTION_TABLE }));
});

const copies = project(Account, ({ owner, balance }) => ({ owner, balance }), { indexes: ["owner"] });
/** What commands have of the projection. */
const handle = () =>
  bank.store.handles({ copies })["copies"] as ProjectionHandle<{ owner: string; balance: number }, "owner">;
const where = async (owner: string) =>
  (await handle().where("owner", owner)).map(({ balance }) => balance).sort();
/** The account is gone. */
const GONE = Symbol("gone");
/** Lets events of an account arrive, one after another; their versions are the balances too. */
async function arrive(aggregateId: string, ...events: [version: number, owner: unknown][]) {
  const receive = makeProjectionHandler("copies", copies).callbackFactory();
  for (const [version, owner] of events) {
    const state = owner === GONE ? null : { owner, balance: version };
    const event = cloudEvent({ aggregateId, aggregateVersion: version, data: { change: {}, state } });
    expect(await receive(queueBatch([event]), lambdaContext())).toEqual({ batchItemFailures: [] });
  }
}

describe("an index of a projection", () => {
  test("finds all aggregates whose field has the value, and no other", async () => {
    const [ada, eve] = [uuid(), uuid()];
    await arrive(uuid(), [1, ada]);
    await arrive(uuid(), [2, ada]);
    await arrive(uuid(), [3, eve]);
    expect(await where(ada)).toEqual([1, 2]);
    expect(await where(eve)).toEqual([3]);
    expect(await where(uuid())).toEqual([]);
    expect((await handle().where("owner", eve))[0]).toEqual({ owner: eve, balance: 3 });
  });

  test("follows an update of the field, and no older event takes it back", async () => {
    const [id, ada, eve] = [uuid(), uuid(), uuid()];
    await arrive(id, [1, ada], [3, eve], [2, ada]);
    expect(await where(ada)).toEqual([]);
    expect(await where(eve)).toEqual([3]);
  });

  test("is left by an aggregate that is gone, which its next life enters again", async () => {
    const [id, ada] = [uuid(), uuid()];
    await arrive(id, [1, ada], [2, GONE]);
    expect(await where(ada)).toEqual([]);
    await expect(handle().get(id)).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
    await arrive(id, [1, ada]);
    expect(await where(ada)).toEqual([]);
    await arrive(id, [3, ada]);
    expect(await where(ada)).toEqual([3]);
    expect(await handle().get(id)).toEqual({ owner: ada, balance: 3 });
  });

  test.each([
    ["null", null],
    ["absent", undefined],
    ["empty", ""],
    ["longer than a key", "é".repeat(1_025)],
    ["not a text", 5],
  ])("is left when the value is %s, and the aggregate is found by its id all the same", async (_, owner) => {
    const [id, ada] = [uuid(), uuid()];
    await arrive(id, [1, ada], [2, owner]);
    expect(await where(ada)).toEqual([]);
    expect(await handle().get(id)).toMatchObject({ balance: 2 });
  });

  test("that the projection does not declare is refused", async () => {
    await expect(handle().where("balance" as "owner", "1")).rejects.toMatchObject({ code: "INDEX_UNKNOWN" });
  });
});
