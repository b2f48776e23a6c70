import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { project } from "../../runtime";
import { foldToNewest, makeProjectionHandler } from "../../runtime/projection/handler";
import { projectionHandle } from "../../runtime/projection/table";
import { documentClient } from "../../runtime/dynamodb/documents";
import { Account } from "../support/domain/account";
import { cloudEvent, queueBatch } from "../support/domain/domain-events";
import { fakeTables } from "../support/dynamodb/fake-tables";
import { lambdaContext } from "../support/domain/outbox-records";

const tables = fakeTables({ copies: ["aggregateId"] });
const accounts = project(Account, (state) => ({ owner: state.owner }), { indexes: ["owner"] });

beforeEach(() => {
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("PROJECTION_TABLES", '{"accounts":"copies"}');
  for (const level of ["info", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => undefined);
});

const owner = (aggregate: number, version: number) => `owner ${aggregate}.${version}`;

/**
 * What happens to some aggregates (each version with its own state, null where the aggregate is gone), and how it
 * arrives: any order, any event several times, cut into batches for functions that run side by side, of whose
 * writes any may fail.
 */
const history = fc
  .array(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 })
  .chain((lives) => {
    const events = lives.flatMap((gone, aggregate) =>
      gone.map((isGone, index) => ({ aggregate, version: index + 1, isGone })),
    );
    const everyEvent = (duplicates: typeof events) =>
      fc.shuffledSubarray([...events, ...duplicates], { minLength: events.length + duplicates.length });
    return fc.record({
      lives: fc.constant(lives),
      arrival: fc.array(fc.constantFrom(...events), { maxLength: 12 }).chain(everyEvent),
      batchSize: fc.integer({ min: 1, max: 10 }),
      functions: fc.integer({ min: 1, max: 4 }),
      failures: fc.array(fc.boolean(), { maxLength: 20 }),
    });
  });

describe("a projection", () => {
  test("ends in the newest version of each aggregate, whatever the order, the repeats, the batches, the interleaving and the failures", async () => {
    const property = fc.asyncProperty(history, fc.scheduler(), async (drawn, scheduler) => {
      tables.clear();
      const failures = [...drawn.failures];
      tables.before(async () => {
        await scheduler.schedule(Promise.resolve());
        if (failures.shift()) throw new Error("Throttled");
      });
      const { callbackFactory } = makeProjectionHandler("accounts", accounts);
      const handlers = Array.from({ length: drawn.functions }, callbackFactory);
      const waiting = drawn.arrival.map(({ aggregate, version, isGone }) =>
        cloudEvent({
          id: `event-${aggregate}-${version}`,
          aggregateId: `account-${aggregate}`,
          aggregateVersion: version,
          data: { change: {}, state: isGone ? null : { owner: owner(aggregate, version) } },
        }),
      );
      // What a batch gives back comes again, in a later one.
      const work = async (handle: (typeof handlers)[number]) => {
        for (
          let batch = waiting.splice(0, drawn.batchSize);
          batch.length > 0;
          batch = waiting.splice(0, drawn.batchSize)
        ) {
          const { batchItemFailures } = await handle(queueBatch(batch), lambdaContext());
          const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
          waiting.push(...batch.filter((_, index) => failed.has(`m${index + 1}`)));
        }
      };
      await scheduler.waitFor(Promise.all(handlers.map(work)));
      const documents = documentClient();
      for (const [aggregate, gone] of drawn.lives.entries()) {
        const [id, version, isGone] = [`account-${aggregate}`, gone.length, gone.at(-1)];
        expect(tables.items("copies").find((item) => item["aggregateId"] === id)).toEqual({
          aggregateId: id,
          version,
          occurredAt: "2026-05-04T03:02:01.234Z",
          eventId: `event-${aggregate}-${version}`,
          ...(isGone
            ? {}
            : { fields: { owner: owner(aggregate, version) }, by_owner: owner(aggregate, version) }),
        });
        const found = await projectionHandle(documents, "copies", accounts).find(id);
        expect(found).toEqual(isGone ? undefined : { owner: owner(aggregate, version) });
        // No index leads to what an earlier version said.
        for (const [index] of gone.entries()) {
          const known = await projectionHandle(documents, "copies", accounts).where(
            "owner",
            owner(aggregate, index + 1),
          );
          expect(known).toHaveLength(index + 1 === version && !isGone ? 1 : 0);
        }
      }
    });
    await fc.assert(property, { numRuns: 200 });
  });
});

describe("a folded batch", () => {
  const messages = fc.array(
    fc.record({
      messageId: fc.uuid(),
      item: fc.record({
        aggregateId: fc.constantFrom("a", "b", "__proto__", "constructor"),
        version: fc.integer({ min: 1, max: 20 }),
        occurredAt: fc.constant("2026-05-04T03:02:01.234Z"),
        eventId: fc.uuid(),
      }),
    }),
    { maxLength: 20 },
  );

  test("settles every message once, with the newest of its aggregate", () => {
    fc.assert(
      fc.property(messages, (batch) => {
        const folded = foldToNewest(batch);
        expect(folded.flatMap(({ messageIds }) => messageIds).sort()).toEqual(
          batch.map(({ messageId }) => messageId).sort(),
        );
        expect(new Set(folded.map(({ newest }) => newest.aggregateId)).size).toBe(folded.length);
        for (const { messageId, item } of batch) {
          const { newest } = folded.find(({ messageIds }) => messageIds.includes(messageId))!;
          expect(newest.aggregateId).toBe(item.aggregateId);
          expect(newest.version).toBeGreaterThanOrEqual(item.version);
        }
      }),
      { numRuns: 300 },
    );
  });
});
