import fc from "fast-check";
import { v7 as uuid } from "uuid";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { project } from "../../../runtime";
import { makeProjectionHandler } from "../../../runtime/projection/handler";
import { type ProjectedItem, projectionHandle, writeProjection } from "../../../runtime/projection/table";
import { Account } from "../../support/domain/account";
import { bankTables, PROJECTION_TABLE } from "../../support/dynamodb/bank-tables";
import { capturedLog } from "../../support/process/captured-log";
import { cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { lambdaContext } from "../../support/domain/outbox-records";

const bank = bankTables();
capturedLog();
beforeEach(() => {
  vi.stubEnv("PROJECTION_TABLES", JSON.stringify({ accounts: PROJECTION_TABLE }));
});

const item = (aggregateId: string, version: number, owner: string | undefined): ProjectedItem => ({
  aggregateId,
  version,
  occurredAt: `2026-05-04T03:02:${String(version).padStart(2, "0")}.000Z`,
  eventId: `event-${version}`,
  ...(owner === undefined ? {} : { fields: { owner } }),
});
const write = (one: ProjectedItem) => writeProjection(bank.documents, PROJECTION_TABLE, one);
const accounts = project(Account, (state) => ({ owner: state.owner }));
const find = (id: string) => projectionHandle(bank.documents, PROJECTION_TABLE, accounts).find(id);
const stored = async (ids: string[]) =>
  (await bank.items(PROJECTION_TABLE))
    .filter((one) => ids.includes(String(one["aggregateId"])))
    .sort((a, b) => ids.indexOf(String(a["aggregateId"])) - ids.indexOf(String(b["aggregateId"])));

describe("one aggregate in a projection", () => {
  test("is written at first and by every newer version, and left alone by the same and older ones", async () => {
    const id = uuid();
    expect(await write(item(id, 2, "second"))).toBe("written");
    expect(await write(item(id, 2, "second"))).toBe("stale");
    expect(await write(item(id, 1, "first"))).toBe("stale");
    expect(await find(id)).toEqual({ owner: "second" });
    expect(await write(item(id, 10, "tenth"))).toBe("written");
    expect(await write(item(id, 9, "ninth"))).toBe("stale");
    expect(await find(id)).toEqual({ owner: "tenth" });
  });

  test("is not found once it is gone, and no late event brings it back", async () => {
    const id = uuid();
    await write(item(id, 1, "first"));
    expect(await write(item(id, 3, undefined))).toBe("written");
    expect(await find(id)).toBeUndefined();
    expect(await write(item(id, 2, "second"))).toBe("stale");
    expect(await find(id)).toBeUndefined();
    expect(await stored([id])).toEqual([item(id, 3, undefined)]);
  });

  test("is not found either if nothing but its end ever arrived", async () => {
    const id = uuid();
    expect(await write(item(id, 3, undefined))).toBe("written");
    expect(await write(item(id, 1, "first"))).toBe("stale");
    expect(await find(id)).toBeUndefined();
  });

  test("is found again in its next life", async () => {
    const id = uuid();
    await write(item(id, 2, undefined));
    expect(await write(item(id, 3, "third"))).toBe("written");
    expect(await find(id)).toEqual({ owner: "third" });
  });

  test("has the fields that were selected and nothing of those that are undefined", async () => {
    const id = uuid();
    await write({
      ...item(id, 1, undefined),
      fields: { owner: "Ada", nick: undefined, tags: ["a"], n: null },
    });
    expect(await find(id)).toEqual({ owner: "Ada", tags: ["a"], n: null });
  });
});

/**
 * What happens to some aggregates (each version with its own state, null where the aggregate is gone), and how it arrives: any
 * order, any event several times, cut into deliveries of several at once; every event arrives at least once.
 */
const arbitraryDelivery = fc
  .array(fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 })
  .chain((lives) => {
    const events = lives.flatMap((gone, aggregate) =>
      gone.map((isGone, index) => ({ aggregate, version: index + 1, isGone })),
    );
    return fc.record({
      aggregates: fc.constant(lives.length),
      newest: fc.constant(lives.map((gone) => ({ version: gone.length, isGone: gone.at(-1) === true }))),
      arrival: fc
        .array(fc.constantFrom(...events), { maxLength: 10 })
        .chain((duplicates) =>
          fc.shuffledSubarray([...events, ...duplicates], { minLength: events.length + duplicates.length }),
        ),
      deliverySize: fc.integer({ min: 1, max: 10 }),
    });
  });

function deliveries<T>(arrival: T[], size: number): T[][] {
  const count = Math.ceil(arrival.length / size);
  return Array.from({ length: count }, (_, index) => arrival.slice(index * size, (index + 1) * size));
}

describe("whatever the order, the duplicates and the interleaving", () => {
  const owner = (aggregate: number, version: number) => `owner ${aggregate}.${version}`;

  test("conditional writes end in the newest version of each aggregate", async () => {
    const property = fc.asyncProperty(
      arbitraryDelivery,
      async ({ aggregates, newest, arrival, deliverySize }) => {
        const ids = Array.from({ length: aggregates }, () => uuid());
        const of = (aggregate: number, version: number, isGone: boolean) =>
          item(ids[aggregate]!, version, isGone ? undefined : owner(aggregate, version));
        for (const together of deliveries(arrival, deliverySize)) {
          await Promise.all(together.map((one) => write(of(one.aggregate, one.version, one.isGone))));
        }
        expect(await stored(ids)).toEqual(
          newest.map(({ version, isGone }, index) => of(index, version, isGone)),
        );
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  test("the projection's handler ends in the newest version of each aggregate, with functions running side by side", async () => {
    const handle = makeProjectionHandler("accounts", accounts).callbackFactory();
    const property = fc.asyncProperty(
      arbitraryDelivery,
      fc.integer({ min: 1, max: 3 }),
      async ({ aggregates, newest, arrival, deliverySize }, functions) => {
        const ids = Array.from({ length: aggregates }, () => uuid());
        const events = arrival.map(({ aggregate, version, isGone }) =>
          cloudEvent({
            id: `event-${aggregate}-${version}`,
            aggregateId: ids[aggregate]!,
            aggregateVersion: version,
            data: { change: {}, state: isGone ? null : { owner: owner(aggregate, version) } },
          }),
        );
        for (const batches of deliveries(deliveries(events, deliverySize), functions)) {
          const answers = await Promise.all(
            batches.map((batch) => handle(queueBatch(batch), lambdaContext())),
          );
          expect(answers.flatMap(({ batchItemFailures }) => batchItemFailures)).toEqual([]);
        }
        expect(await stored(ids)).toEqual(
          newest.map(({ version, isGone }, index) => ({
            aggregateId: ids[index],
            version,
            occurredAt: "2026-05-04T03:02:01.234Z",
            eventId: `event-${index}-${version}`,
            ...(isGone ? {} : { fields: { owner: owner(index, version) } }),
          })),
        );
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });
});
