import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { sender } from "../../conformance/repeated-requests";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});
const send = sender(() => bank.store);

describe("a request with an id", () => {
  /** The statements of a request that is done. */
  const statements = async (name: string, input: object, id?: string) => {
    bank.statements.length = 0;
    expect(await send(name, input, id)).toMatchObject({ outcome: "done" });
    return bank.statements.length;
  };

  test("takes as many round trips as one without, as long as it is the first", async () => {
    const [first, second] = [uuid(), uuid()];
    // A creation reads nothing first; a credit reads the account.
    expect(await statements("open", { accountId: first }, uuid())).toBe(1);
    expect(await statements("open", { accountId: second })).toBe(1);
    expect(await statements("credit", { accountId: first, amount: 5 }, uuid())).toBe(2);
    expect(await statements("credit", { accountId: second, amount: 5 })).toBe(2);
  });

  test("is answered also after its events were trimmed", async () => {
    const [accountId, id] = [uuid(), uuid()];
    const first = await send("open", { accountId }, id);
    await bank.forgetEvents(accountId);
    expect(await send("open", { accountId }, id)).toEqual({ ...first, repeated: true });
  });
});
