import { withSchemasMadeOnce } from "../../../runtime/store/handles";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type DomainEvent, react, type StagedChange } from "../../../runtime";
import type { Reactions } from "../../../runtime/define/react";
import { makeReactionHandler } from "../../../runtime/reaction/handler";
import { found } from "../../../runtime/store/handles";
import { Account, accounts } from "../../support/domain/account";
import { capturedLog, problems } from "../../support/process/captured-log";
import { cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { CONFLICT, type FakeStore, fakeStore, openerOf } from "../../support/domain/fake-store";
import { lambdaContext } from "../../support/domain/outbox-records";

const log = capturedLog();

beforeEach(() => {
  // No pause between tries.
  vi.spyOn(Math, "random").mockReturnValue(0);
});

const CHANGE: StagedChange = {
  kind: "change",
  operation: "create",
  table: "accounts",
  definition: withSchemasMadeOnce(accounts),
  event: "AccountOpened",
  change: {},
  fields: { accountId: "a" },
};

/** Reacts to closed accounts like this. */
function reacting(
  handle: (event: DomainEvent<typeof Account, "AccountClosed">) => StagedChange[] = () => [CHANGE],
) {
  const spy = vi.fn(async (event: DomainEvent<typeof Account, "AccountClosed">, _handles: unknown) =>
    handle(event),
  );
  return { spy, reactions: react(Account, { uses: { accounts }, on: { AccountClosed: spy } }) };
}
/** Makes the function of reactions on this store. */
function handlerOf(reactions: Reactions, store: FakeStore) {
  const handle = makeReactionHandler("shop.accounts", reactions, openerOf(store)).callbackFactory();
  return (bodies: Parameters<typeof queueBatch>[0]) => handle(queueBatch(bodies), lambdaContext());
}

const closed = (aggregateId: string, aggregateVersion = 2) =>
  cloudEvent({
    type: "AccountClosed",
    aggregateId,
    aggregateVersion,
    data: { change: { reason: "moved" }, state: null },
  });

describe("a reaction's handler", () => {
  test("hands the event to the reaction, with handles for what it uses", async () => {
    const { reactions, spy } = reacting();
    const event = closed("a");
    await handlerOf(reactions, fakeStore())([event]);
    expect(spy).toHaveBeenCalledExactlyOnceWith(
      {
        id: event.id,
        type: "AccountClosed",
        aggregateId: "a",
        version: 2,
        time: "2026-05-04T03:02:01.234Z",
        change: { reason: "moved" },
        state: null,
      },
      { accounts },
    );
  });

  test("commits the changes with the inbox record, correlated with the event and caused by it, in its trace", async () => {
    const store = fakeStore();
    const event = closed("a");
    const answer = await handlerOf(reacting().reactions, store)([event]);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(store.commits).toEqual([
      {
        changes: [CHANGE],
        context: {
          correlationId: "request-1",
          causationId: event.id,
          traceparent: expect.stringMatching(
            /^00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-01$/,
          ) as string,
          once: { consumer: "shop.accounts", messageId: event.id },
        },
      },
    ]);
    expect(store.commits[0]!.context.traceparent).not.toBe(event.traceparent);
  });

  test("commits the inbox record also when there is nothing to change", async () => {
    const store = fakeStore();
    const { reactions } = reacting(() => []);
    await handlerOf(reactions, store)([closed("a")]);
    expect(store.commits).toMatchObject([{ changes: [], context: { once: { consumer: "shop.accounts" } } }]);
  });

  test("is done with an event that it has processed before", async () => {
    const store = fakeStore([{ outcome: "duplicate" }]);
    const answer = await handlerOf(reacting().reactions, store)([closed("a")]);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(problems(log)).toEqual([]);
  });

  test("runs the reaction again, with fresh reads, when its changes lost a race", async () => {
    const { reactions, spy } = reacting();
    const store = fakeStore([CONFLICT, CONFLICT]);
    const answer = await handlerOf(reactions, store)([closed("a")]);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(spy).toHaveBeenCalledTimes(3);
  });

  test("gives an event back that loses every race, by a code", async () => {
    const store = fakeStore(Array<typeof CONFLICT>(100).fill(CONFLICT));
    const answer = await handlerOf(reacting().reactions, store)([closed("a")]);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
    expect(problems(log)).toMatchObject([{ messageId: "m1", code: "REACTION_CONFLICT" }]);
    expect(store.commits.length).toBeLessThan(20);
  });

  test("gives an event back of which it is not known whether it took effect, by a code; the inbox tells the next time", async () => {
    const store = fakeStore([{ outcome: "unknown", message: "No answer came." }, { outcome: "duplicate" }]);
    const handler = handlerOf(reacting().reactions, store);
    const batch = [closed("a")];
    expect(await handler(batch)).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
    expect(problems(log)).toMatchObject([{ messageId: "m1", code: "REACTION_UNKNOWN" }]);
    expect(store.commits).toHaveLength(1);
    expect(await handler(batch)).toEqual({ batchItemFailures: [] });
  });

  test("gives an event back that needs what is not known here, by the code of that, without another try", async () => {
    const { reactions, spy } = reacting();
    spy.mockImplementation(() => found<never>(Promise.resolve(undefined), Account, "a"));
    const store = fakeStore();
    expect(await handlerOf(reactions, store)([closed("a")])).toEqual({
      batchItemFailures: [{ itemIdentifier: "m1" }],
    });
    expect(problems(log)).toMatchObject([{ messageId: "m1", code: "ACCOUNT_UNKNOWN" }]);
    expect(spy).toHaveBeenCalledTimes(1);
    expect(store.commits).toEqual([]);
  });

  test("gives an event back that leads to a creation of what exists, by the code of that", async () => {
    const store = fakeStore(Array<typeof CONFLICT>(8).fill({ ...CONFLICT, existing: "a" }));
    expect(await handlerOf(reacting().reactions, store)([closed("a")])).toEqual({
      batchItemFailures: [{ itemIdentifier: "m1" }],
    });
    expect(problems(log)).toMatchObject([{ messageId: "m1", code: "ACCOUNT_EXISTS" }]);
    expect(store.commits).toHaveLength(8);
  });

  test("gives poison back and is done with the others, one after another in their order", async () => {
    const { reactions, spy } = reacting((event) => {
      if (event.aggregateId === "poison") throw new Error("Cannot divide by zero");
      return [CHANGE];
    });
    const store = fakeStore();
    const answer = await handlerOf(reactions, store)([closed("a"), closed("poison"), closed("b")]);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m2" }] });
    expect(spy.mock.calls.map(([event]) => event.aggregateId)).toEqual(["a", "poison", "b"]);
    expect(store.commits).toHaveLength(2);
    expect(problems(log)).toMatchObject([{ messageId: "m2", reason: "Cannot divide by zero" }]);
  });

  test("gives a message back that is not a domain event, and is done with the others", async () => {
    const store = fakeStore();
    const answer = await handlerOf(
      reacting().reactions,
      store,
    )(["no json", closed("a"), '{"detail":{"type":"AccountClosed"}}']);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m3" }] });
    expect(store.commits).toHaveLength(1);
  });

  test("gives an event back whose changes could not be committed", async () => {
    const store = fakeStore([new Error("The database is gone")]);
    const answer = await handlerOf(reacting().reactions, store)([closed("a"), closed("b")]);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
  });

  test.each(["AccountOpened", "constructor", "toString"])(
    "leaves events alone that it has no reaction to, such as %s",
    async (type) => {
      const store = fakeStore();
      const answer = await handlerOf(reacting().reactions, store)([cloudEvent({ type })]);
      expect(answer).toEqual({ batchItemFailures: [] });
      expect(store.commits).toEqual([]);
    },
  );

  test("opens its store once", async () => {
    const open = vi.fn(() => fakeStore());
    const { reactions } = reacting();
    const handler = makeReactionHandler("shop.accounts", reactions, {
      variables: [],
      open,
    }).callbackFactory();
    await handler(queueBatch([closed("a")]), lambdaContext());
    await handler(queueBatch([closed("b")]), lambdaContext());
    expect(open).toHaveBeenCalledTimes(1);
  });

  test("gives a message back that waits for something outside of the database, and reacts to those behind it", async () => {
    const store = fakeStore();
    const never = new Promise<StagedChange[]>(() => undefined);
    const waits = async ({ aggregateId }: { aggregateId: string }) =>
      aggregateId === "slow" ? never : [CHANGE];
    const reactions = react(Account, { uses: { accounts }, on: { AccountClosed: waits } });
    const handler = makeReactionHandler("shop.accounts", reactions, openerOf(store)).callbackFactory();
    const batch = queueBatch([closed("slow"), closed("b"), closed("c")]);
    const end = Date.now() + 5_000;
    const context = { ...lambdaContext(), getRemainingTimeInMillis: () => end - Date.now() };
    expect(await handler(batch, context)).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
    expect(Date.now()).toBeLessThan(end - 2_000);
    expect(store.commits).toHaveLength(2);
    expect(problems(log)).toEqual([expect.objectContaining({ messageId: "m1", code: "MESSAGE_TIMED_OUT" })]);
  });
});
