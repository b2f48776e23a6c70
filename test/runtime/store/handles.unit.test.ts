import { describe, expect, test } from "vitest";
import type { StagedChange } from "../../../runtime";
import {
  found,
  rejectionOf,
  standardRejection,
  tableHandle,
  withSchemasMadeOnce,
} from "../../../runtime/store/handles";
import { Account, accountAt, accounts, newAccount } from "../../support/domain/account";

const ROW = accountAt("a", 3);
const NOTHING = { find: async () => undefined, where: async () => [] };
const definition = withSchemasMadeOnce(accounts);
const handle = tableHandle("accounts", definition, NOTHING);

describe("a change", () => {
  const about = { kind: "change", table: "accounts", definition };

  test.each<[string, StagedChange, object]>([
    [
      "a creation",
      handle.create(newAccount("a")).raise("AccountOpened", {}),
      { operation: "create", fields: newAccount("a"), event: "AccountOpened", change: {} },
    ],
    [
      "an update",
      handle.update(ROW, { balance: 7 }).raise("AccountCredited", { amount: 2 }),
      {
        operation: "update",
        row: ROW,
        fields: { balance: 7 },
        event: "AccountCredited",
        change: { amount: 2 },
      },
    ],
    [
      "a removal",
      handle.remove(ROW).raise("AccountClosed", { reason: "moved" }),
      { operation: "remove", row: ROW, event: "AccountClosed", change: { reason: "moved" } },
    ],
  ])("is plain data that says all that a store needs: %s", (_, staged, expected) => {
    expect(staged).toEqual({ ...about, ...expected });
  });

  test("has an empty change where the event says no more", () => {
    expect(handle.create(newAccount("a")).raise("AccountOpened")).toMatchObject({ change: {} });
  });

  test("is not complete without its event", () => {
    for (const unraised of [handle.create(newAccount("a")), handle.update(ROW, {}), handle.remove(ROW)]) {
      expect(Object.keys(unraised)).toEqual(["raise"]);
      // @ts-expect-error -- a handler cannot return it
      void (unraised satisfies StagedChange);
    }
  });
});

describe("the standard rejection", () => {
  test.each([
    ["sales.Order", "ORDER"],
    ["sales.OrderLine", "ORDER_LINE"],
    ["sales.OrderLine2", "ORDER_LINE2"],
    ["sales.SKU", "SKU"],
    ["sales.SKUGroup", "SKU_GROUP"],
    ["gift-cards.GiftCard", "GIFT_CARD"],
  ])("of %s has the code %s_UNKNOWN or %s_EXISTS", (name, code) => {
    expect(standardRejection({ name }, "UNKNOWN", "7")).toEqual({
      kind: "rejection",
      code: `${code}_UNKNOWN`,
      message: `There is no ${name} "7" here: it never existed, is not known yet, or is gone.`,
    });
    expect(standardRejection({ name }, "EXISTS", "7")).toEqual({
      kind: "rejection",
      code: `${code}_EXISTS`,
      message: `The ${name} "7" exists. Use another id.`,
    });
  });

  test("is what an error of `get` carries, and no other error", async () => {
    const error = await found(Promise.resolve(undefined), Account, "a").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ACCOUNT_UNKNOWN" });
    expect(rejectionOf(error)).toMatchObject({ kind: "rejection", code: "ACCOUNT_UNKNOWN" });
    for (const other of [new Error("No."), undefined, null, "No."])
      expect(rejectionOf(other)).toBeUndefined();
  });
});
