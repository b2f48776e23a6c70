import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { type Bank, once, upTo } from "./store-under-test";

const WRITERS = 20;
const outcomes = (all: { outcome: string }[]) => all.map(({ outcome }) => outcome).sort();

/** Concurrent writers, and messages that must take effect once. */
export function describeRaces(name: string, bank: Bank): void {
  const { commit, opened, opening, crediting, closing, events, versions, everything } = bank;
  const get = (accountId: string) => bank.accounts().get(accountId);

  describe(`${name}: ${WRITERS} writers at once`, () => {
    test("that read again after a conflict make versions without gaps or duplicates, and lose no change", async () => {
      const { accountId } = await opened();
      const increment = async (): Promise<void> => {
        const { outcome } = await commit([crediting(await get(accountId))]);
        if (outcome !== "committed") return increment();
      };
      await Promise.all(upTo(WRITERS).map(increment));
      const written = await events(accountId);
      expect(written.map(({ version }) => version)).toEqual(upTo(WRITERS + 1));
      expect(written.map(({ state }) => (state as { balance: number }).balance)).toEqual([
        0,
        ...upTo(WRITERS),
      ]);
      expect(await get(accountId)).toMatchObject({ balance: WRITERS, version: WRITERS + 1 });
    });

    test("that read the same version have one winner, whose change is what is there", async () => {
      const read = await opened();
      const all = await Promise.all(upTo(WRITERS).map((balance) => commit([crediting(read, balance)])));
      expect(outcomes(all)).toEqual(["committed", ...Array<string>(WRITERS - 1).fill("conflict")]);
      expect(await versions(read.accountId)).toEqual(["1 AccountOpened", "2 AccountCredited"]);
      const winner = 1 + all.findIndex(({ outcome }) => outcome === "committed");
      expect(await get(read.accountId)).toMatchObject({ balance: winner, version: 2 });
    });

    test("that read the same version leave nothing of the others' further changes either", async () => {
      const read = await opened();
      const others = upTo(WRITERS).map(() => uuid());
      const all = await Promise.all(others.map((other) => commit([opening(other), crediting(read)])));
      expect(outcomes(all)).toEqual(["committed", ...Array<string>(WRITERS - 1).fill("conflict")]);
      const written = await Promise.all(others.map(events));
      expect(written.flat()).toHaveLength(1);
    });

    test.each([
      ["create the same aggregate have one winner", false],
      ["create the same aggregate again after its removal begin one new life", true],
    ])("that %s", async (_, wasRemoved) => {
      const accountId = uuid();
      if (wasRemoved) {
        await commit([opening(accountId)]);
        await commit([closing(await get(accountId))]);
      }
      const all = await Promise.all(upTo(WRITERS).map(() => commit([opening(accountId)])));
      expect(outcomes(all)).toEqual(["committed", ...Array<string>(WRITERS - 1).fill("conflict")]);
      const earlier = wasRemoved ? ["1 AccountOpened", "2 AccountClosed"] : [];
      expect(await versions(accountId)).toEqual([...earlier, `${earlier.length + 1} AccountOpened`]);
    });
  });

  describe(`${name}: what runs once`, () => {
    test("is a duplicate the second time, alone or among others, and changes nothing", async () => {
      const [read, messageId] = [await opened(), uuid()];
      expect(await commit([crediting(read)], once(messageId))).toMatchObject({ outcome: "committed" });
      expect(await bank.isProcessed("bank.commands", messageId)).toBe(true);
      const before = await everything([read.accountId]);
      const next = await get(read.accountId);
      expect(await commit([crediting(next)], once(messageId))).toMatchObject({ outcome: "duplicate" });
      const other = uuid();
      const changes = [crediting(next), opening(other)];
      expect(await commit(changes, once(messageId))).toMatchObject({ outcome: "duplicate" });
      expect(await everything([read.accountId, other])).toEqual([...before, [null, []]]);
    });

    test("is another matter for each consumer", async () => {
      const [{ accountId }, messageId] = [await opened(), uuid()];
      for (const consumer of ["a", "b"]) {
        const outcome = await commit([crediting(await get(accountId))], once(messageId, consumer));
        expect(outcome).toMatchObject({ outcome: "committed" });
      }
      const outcome = await commit([crediting(await get(accountId))], once(messageId, "a"));
      expect(outcome).toMatchObject({ outcome: "duplicate" });
    });

    test("may be done after its change lost a race: it is not marked by that", async () => {
      const [stale, messageId] = [await opened(), uuid()];
      await commit([crediting(stale)]);
      expect(await commit([crediting(stale)], once(messageId))).toMatchObject({ outcome: "conflict" });
      const next = await get(stale.accountId);
      expect(await commit([crediting(next)], once(messageId))).toMatchObject({ outcome: "committed" });
    });

    test("is marked also when there is nothing to change", async () => {
      const messageId = uuid();
      expect(await commit([], once(messageId))).toEqual({ outcome: "committed", changes: [] });
      expect(await commit([], once(messageId))).toMatchObject({ outcome: "duplicate" });
    });

    test.each([
      ["one change", (accountId: string) => [opening(accountId)]],
      ["several changes", (accountId: string) => [opening(accountId), opening(uuid())]],
    ])("takes effect once when %s are processed many times at once", async (_, changes) => {
      const messageId = uuid();
      const ids = upTo(8).map(() => uuid());
      const all = await Promise.all(ids.map((accountId) => commit(changes(accountId), once(messageId))));
      expect(outcomes(all)).toEqual(["committed", ...Array<string>(7).fill("duplicate")]);
      const written = await Promise.all(ids.map(events));
      expect(written.flat()).toHaveLength(1);
    });
  });
}
