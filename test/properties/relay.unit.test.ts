import { EventBridgeClient, type PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { CloudEvent } from "../../runtime/envelope/cloud-event";
import { relayBatch } from "../../runtime/relay/relay-batch";
import type { RelayRecord } from "../../runtime/relay/relay-record";
import { fakeHolds } from "../support/dynamodb/fake-holds";
import { capturedLog } from "../support/process/captured-log";
import { BANK_EVENTS, eventRecord } from "../support/domain/outbox-records";

const bus = mockClient(EventBridgeClient);
const queue = mockClient(SQSClient);
const holds = fakeHolds();
capturedLog();
const targets = {
  known: BANK_EVENTS,
  events: new EventBridgeClient({ region: "us-east-1" }),
  queues: new SQSClient({ region: "us-east-1" }),
  holds: holds.table,
  eventBus: "domain-events",
  quarantineQueue: "https://queue/quarantine",
};
/** More than the faults of a run: each may cost a round of putting back. */
const FAULTS = 60;
const AGGREGATES = ["a", "b", "c", "d"];

// No pause between tries.
beforeEach(() => void vi.spyOn(Math, "random").mockReturnValue(0));

/**
 * What a call of PutEvents meets: its entries are refused by this pattern, left out of the answer from here on, or
 * it throws.
 */
const fault = fc.oneof(
  { weight: 3, arbitrary: fc.record({ refused: fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }) }) },
  { weight: 1, arbitrary: fc.record({ answered: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constantFrom("TimeoutError" as const, "AccessDeniedException" as const) },
);

/** How the bus treats an event for as long as nothing is repaired. */
const culpritKind = fc.constantFrom(
  "call refused",
  "entry refused",
  "entry fails",
  "unknown type",
  "no payload",
);

/** The records of a shard in their order: events of four aggregates, what is left out, and what cannot be decoded. */
const shard = fc
  .array(fc.constantFrom(...AGGREGATES, "ignored", "undecodable"), { minLength: 1, maxLength: 40 })
  .map((kinds) => {
    const versions = new Map<string, number>();
    return kinds.map((kind, index): RelayRecord => {
      const sequenceNumber = String(index);
      if (kind === "ignored") return { ...eventRecord(sequenceNumber), kind };
      if (kind === "undecodable") return { ...eventRecord(sequenceNumber), kind, reason: "Not JSON." };
      const aggregateVersion = (versions.get(kind) ?? 0) + 1;
      versions.set(kind, aggregateVersion);
      return eventRecord(sequenceNumber, {
        id: `${kind}${aggregateVersion}`,
        aggregateId: kind,
        aggregateVersion,
      });
    });
  });

const run = fc.record({
  shard,
  batchSize: fc.integer({ min: 1, max: 25 }),
  /** Id of an event -> what is wrong with it. */
  culprits: fc.dictionary(
    fc
      .tuple(fc.constantFrom(...AGGREGATES), fc.integer({ min: 1, max: 6 }))
      .map(([id, version]) => `${id}${version}`),
    culpritKind,
    { maxKeys: 3 },
  ),
  /** How many hours old the records are; not even an hour for most, so that the bus may still take them. */
  age: fc.constantFrom(0, 0, 1, 13),
  busFaults: fc.array(fault, { maxLength: 30 }),
  queueFaults: fc.array(fc.boolean(), { maxLength: 10 }),
  holdFaults: fc.array(fc.boolean(), { maxLength: 10 }),
  /** Time that is left when it is asked for; after these, plenty. */
  times: fc.array(fc.constantFrom(0, 3_000, 3_001, 60_000), { maxLength: 10 }),
  /** The order in which what is in quarantine is put back; a number for each of its records. */
  putBack: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
});

describe("a relay that Lambda calls again from the record that it names", () => {
  test("loses nothing and keeps every aggregate's order, whatever fails, and whatever is put back from quarantine in any order", async () => {
    const property = fc.asyncProperty(run, async (drawn) => {
      holds.clear();
      const [busFaults, queueFaults, holdFaults, times] = [
        [...drawn.busFaults],
        [...drawn.queueFaults],
        [...drawn.holdFaults],
        [...drawn.times],
      ];
      let culprits = drawn.culprits;
      /** Ids in the order in which the bus took them. */
      const taken: string[] = [];
      const quarantined = new Set<string>();
      bus.send.callsFake((async ({ input: { Entries = [] } }: PutEventsCommand) => {
        const ids = Entries.map(({ Detail = "" }) => (JSON.parse(Detail) as CloudEvent).id);
        const met = busFaults.shift();
        if (ids.some((id) => culprits[id] === "call refused")) throw named("AccessDeniedException");
        if (typeof met === "string") throw named(met);
        const answers = ids.map((id, index) => {
          if (culprits[id] === "entry refused") return { ErrorCode: "MalformedDetail" };
          if (culprits[id] === "entry fails") return { ErrorCode: "InternalFailure" };
          if (met !== undefined && "refused" in met && met.refused[index])
            return { ErrorCode: "InternalFailure" };
          taken.push(id);
          return { EventId: id };
        });
        return { Entries: met !== undefined && "answered" in met ? answers.slice(0, met.answered) : answers };
      }) as never);
      queue.send.callsFake((async ({ input: { MessageBody = "" } }: SendMessageCommand) => {
        if (queueFaults.shift()) throw new Error("Queue is gone");
        quarantined.add((JSON.parse(MessageBody) as { sequenceNumber: string }).sequenceNumber);
        return {};
      }) as never);
      holds.failing(() => holdFaults.shift() ?? false);
      const arrivedAt = Date.now() / 1_000 - drawn.age * 3_600;
      const broken = (record: RelayRecord): RelayRecord => {
        if (record.kind !== "event") return record;
        const culprit = culprits[record.record.id];
        if (culprit === "unknown type")
          return { ...record, arrivedAt, record: { ...record.record, type: "Odd" } };
        if (culprit !== "no payload") return { ...record, arrivedAt };
        const { aggregate, aggregateId, aggregateVersion } = record.record;
        const identity = { aggregate, aggregateId, aggregateVersion };
        return { ...record, arrivedAt, kind: "undecodable", reason: "No payload.", identity };
      };
      const isDone = (record: RelayRecord) =>
        record.kind === "ignored" ||
        quarantined.has(record.sequenceNumber) ||
        (record.kind === "event" && taken.includes(record.record.id));
      /** Relays records as Lambda does; an event that is tried for ever ends it. */
      const relayAll = async (records: RelayRecord[]) => {
        let next = 0;
        let stalled = 0;
        while (next < records.length) {
          const faults = [busFaults, queueFaults, holdFaults, times];
          // A relay that only repeats meets no more faults of the queue.
          if (stalled > 20) queueFaults.length = 0;
          const isQuiet = faults.every(({ length }) => length === 0);
          const batch = records.slice(next, next + drawn.batchSize);
          const answer = await relayBatch(
            batch.map(broken),
            "stream",
            targets,
            () => times.shift() ?? 60_000,
          );
          const { batchItemFailures } = answer;
          expect(batchItemFailures.length).toBeLessThanOrEqual(1);
          const reported = batchItemFailures[0]?.itemIdentifier;
          const end =
            reported === undefined ? batch.length : batch.findIndex((one) => one.sequenceNumber === reported);
          expect(end).toBeGreaterThanOrEqual(0);
          // What Lambda will not deliver again is done.
          expect(batch.slice(0, end).filter((record) => !isDone(record))).toEqual([]);
          next += end;
          stalled = end === 0 ? stalled + 1 : 0;
          // An event that is tried for ever.
          if (end === 0 && isQuiet) break;
        }
        return next;
      };

      const events = drawn.shard.flatMap((record) => (record.kind === "event" ? [record.record] : []));
      const firstsOf = (aggregate: string) => [...new Set(taken.filter((id) => id.startsWith(aggregate)))];
      const expectedOf = (aggregate: string) =>
        events.filter((one) => one.aggregateId === aggregate).map(({ id }) => id);
      const expectOrder = () => {
        for (const aggregate of AGGREGATES) {
          const firsts = firstsOf(aggregate);
          expect(firsts).toEqual(expectedOf(aggregate).slice(0, firsts.length));
        }
      };

      const relayed = await relayAll(drawn.shard);
      expectOrder();
      // The cause is repaired, and what is in quarantine is put back in this order, again and again.
      culprits = {};
      await relayAll(drawn.shard.slice(relayed));
      const parked = drawn.shard.filter(
        ({ sequenceNumber, kind }) => kind === "event" && quarantined.has(sequenceNumber),
      );
      const rank = ({ sequenceNumber }: RelayRecord) => drawn.putBack[Number(sequenceNumber)] ?? 0;
      parked.sort((one, other) => rank(one) - rank(other));
      const isLeft = () => AGGREGATES.some((one) => firstsOf(one).length < expectedOf(one).length);
      for (let round = 0; round < parked.length + FAULTS && isLeft(); round += 1) {
        await relayAll(parked);
        expectOrder();
      }
      for (const aggregate of AGGREGATES) expect(firstsOf(aggregate)).toEqual(expectedOf(aggregate));
    });
    await fc.assert(property, { numRuns: 300 });
  });
});

function named(name: string): Error {
  return Object.assign(new Error("Not taken"), { name });
}
