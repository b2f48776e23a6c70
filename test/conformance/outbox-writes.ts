import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { newAccount } from "../support/domain/account";
import { type Bank, once, upTo } from "./store-under-test";

const TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";

/** Changes and their events. */
export function describeWrites(name: string, bank: Bank): void {
  const { commit, opened, opening, crediting, closing, events, versions } = bank;
  const get = (accountId: string) => bank.accounts().get(accountId);

  describe(`${name}: a change and its event`, () => {
    test("are both there, with the event's whole envelope and the public state only", async () => {
      const accountId = uuid();
      const context = { correlationId: "c", causationId: "r", traceparent: TRACE };
      const outcome = await bank.store().commit([opening(accountId, { note: "private" })], context);
      expect(await get(accountId)).toEqual({ ...newAccount(accountId), note: "private", version: 1 });
      const written = await events(accountId);
      expect(written).toEqual([
        {
          id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/) as string,
          aggregate: "bank.Account",
          version: 1,
          type: "AccountOpened",
          schemaVersion: 1,
          change: {},
          state: newAccount(accountId),
          correlationId: "c",
          causationId: "r",
          traceparent: TRACE,
        },
      ]);
      const about = { aggregate: "bank.Account", id: accountId, version: 1 };
      const change = { ...about, event: "AccountOpened", eventId: written[0]!.id };
      expect(outcome).toEqual({ outcome: "committed", changes: [change] });
    });

    test("agree at every version, which goes up by one, to the end and into the next life", async () => {
      const first = await opened({ note: "private" });
      const { accountId } = first;
      await commit([crediting(first, 5)]);
      const { note: _, version: __, ...state } = await get(accountId);
      expect((await events(accountId))[1]).toMatchObject({
        schemaVersion: 2,
        change: { amount: 1 },
        state,
      });
      expect(state).toMatchObject({ balance: 5 });
      await commit([closing(await get(accountId))]);
      expect(await bank.accounts().find(accountId)).toBeUndefined();
      expect((await events(accountId))[2]).toMatchObject({
        change: { reason: "moved" },
        state: null,
      });
      expect(await commit([opening(accountId)])).toMatchObject({ changes: [{ version: 4 }] });
      await commit([closing(await get(accountId))]);
      expect(await commit([opening(accountId)], once(uuid()))).toMatchObject({
        changes: [{ version: 6 }],
      });
      expect(await get(accountId)).toMatchObject({ balance: 0, version: 6 });
      expect(await versions(accountId)).toEqual([
        "1 AccountOpened",
        "2 AccountCredited",
        "3 AccountClosed",
        "4 AccountOpened",
        "5 AccountClosed",
        "6 AccountOpened",
      ]);
    });

    test("never contain a private field, whatever the change", async () => {
      const account = await opened({ note: "private note" });
      await commit([
        bank
          .accounts()
          .update(account, { note: "another private note" })
          .raise("AccountRenamed", { memo: "x" }),
      ]);
      expect(await get(account.accountId)).toMatchObject({ note: "another private note", version: 2 });
      await commit([closing(await get(account.accountId))]);
      const written = await events(account.accountId);
      expect(written).toHaveLength(3);
      expect(JSON.stringify(written)).not.toContain("private");
    });

    test("have an id that no other event has", async () => {
      const { accountId } = await opened();
      for (const _ of upTo(5)) await commit([crediting(await get(accountId))]);
      const written = await events(accountId);
      expect(new Set(written.map(({ id }) => id)).size).toBe(6);
    });

    test("are none where nothing is changed", async () => {
      expect(await commit([])).toEqual({ outcome: "committed", changes: [] });
    });
  });

  describe(`${name}: several changes in one commit`, () => {
    test("are all written, each with its event, in their order", async () => {
      const [first, second] = [await opened(), uuid()];
      const outcome = await commit([crediting(first), opening(second)]);
      expect(outcome).toMatchObject({
        outcome: "committed",
        changes: [
          { id: first.accountId, version: 2, event: "AccountCredited" },
          { id: second, version: 1, event: "AccountOpened" },
        ],
      });
      expect(await events(first.accountId)).toHaveLength(2);
      expect(await events(second)).toHaveLength(1);
    });
  });
}
