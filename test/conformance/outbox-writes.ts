import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { type Bank, newAccount, once, upTo } from "./outbox-under-test";

const TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";

/** What a change and its event are to each other. */
export function describeWrites(name: string, bank: Bank): void {
  const { commit, found, opened, crediting, versions } = bank;

  describe(`${name}: a change and its event`, () => {
    test("are both there, with the event's whole envelope and the public state only", async () => {
      const account = newAccount({ note: "private" });
      const context = { correlationId: "c", causationId: "r", traceparent: TRACE };
      const outcome = await bank.store().commit([bank.store().opening(account)], context);
      expect(await found(account.accountId)).toEqual({ ...account, version: 1 });
      const { note: _, ...state } = account;
      const events = await bank.store().events(account.accountId);
      expect(events).toEqual([
        {
          id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/) as string,
          aggregate: "bank.Account",
          version: 1,
          type: "AccountOpened",
          schemaVersion: 1,
          change: {},
          state,
          correlationId: "c",
          causationId: "r",
          traceparent: TRACE,
        },
      ]);
      const { accountId: id } = account;
      const change = {
        aggregate: "bank.Account",
        id,
        version: 1,
        event: "AccountOpened",
        eventId: events[0]!.id,
      };
      expect(outcome).toEqual({ outcome: "committed", changes: [change] });
    });

    test("agree at every version, which goes up by one, to the end and into the next life", async () => {
      const first = await opened({ note: "private" });
      const { accountId } = first;
      await commit([crediting(first, 5)]);
      const { note: _, version: __, ...state } = await found(accountId);
      expect((await bank.store().events(accountId))[1]).toMatchObject({
        schemaVersion: 2,
        change: { amount: 1 },
        state,
      });
      expect(state).toMatchObject({ balance: 5 });
      await commit([bank.store().closing(await found(accountId))]);
      expect(await bank.store().find(accountId)).toBeUndefined();
      expect((await bank.store().events(accountId))[2]).toMatchObject({
        change: { reason: "moved" },
        state: null,
      });
      const again = newAccount({ accountId });
      expect(await commit([bank.store().opening(again)])).toMatchObject({ changes: [{ version: 4 }] });
      await commit([bank.store().closing(await found(accountId))]);
      expect(await commit([bank.store().opening(again)], once(uuid()))).toMatchObject({
        changes: [{ version: 6 }],
      });
      expect(await found(accountId)).toMatchObject({ balance: 0, version: 6 });
      expect(await versions(accountId)).toEqual([
        "1 AccountOpened",
        "2 AccountCredited",
        "3 AccountClosed",
        "4 AccountOpened",
        "5 AccountClosed",
        "6 AccountOpened",
      ]);
    });

    test("never tell of a private field, whatever is done to it", async () => {
      const account = await opened({ note: "private note" });
      await commit([
        bank.store().changing(account, "AccountRenamed", { memo: "x" }, { note: "another private note" }),
      ]);
      expect(await found(account.accountId)).toMatchObject({ note: "another private note", version: 2 });
      await commit([bank.store().closing(await found(account.accountId))]);
      const events = await bank.store().events(account.accountId);
      expect(events).toHaveLength(3);
      expect(JSON.stringify(events)).not.toContain("private");
    });

    test("have an id that no other event has", async () => {
      const { accountId } = await opened();
      for (const _ of upTo(5)) await commit([crediting(await found(accountId))]);
      const events = await bank.store().events(accountId);
      expect(new Set(events.map(({ id }) => id)).size).toBe(6);
    });

    test("are none where nothing is changed", async () => {
      expect(await commit([])).toEqual({ outcome: "committed", changes: [] });
    });
  });

  describe(`${name}: several changes in one commit`, () => {
    test("are all written, each with its event, in their order", async () => {
      const [first, second] = [await opened(), newAccount()];
      const outcome = await commit([crediting(first), bank.store().opening(second)]);
      expect(outcome).toMatchObject({
        outcome: "committed",
        changes: [
          { id: first.accountId, version: 2, event: "AccountCredited" },
          { id: second.accountId, version: 1, event: "AccountOpened" },
        ],
      });
      expect(await bank.store().events(first.accountId)).toHaveLength(2);
      expect(await bank.store().events(second.accountId)).toHaveLength(1);
    });
  });
}
