import { EventBridgeClient, type PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { CloudEvent } from "../../runtime/envelope/cloud-event";
import { relayBatch, type RelayRecord } from "../../runtime/relay/relay-batch";
import { capturedLog } from "../support/process/captured-log";
import { eventRecord } from "../support/domain/outbox-records";

const bus = mockClient(EventBridgeClient);
const queue = mockClient(SQSClient);
capturedLog();
const targets = {
  events: new EventBridgeClient({ region: "us-east-1" }),
  queues: new SQSClient({ region: "us-east-1" }),
  eventBus: "domain-events",
  quarantineQueue: "https://queue/quarantine",
};

// No pause between tries.
beforeEach(() => void vi.spyOn(Math, "random").mockReturnValue(0));

/**
 * What a call of PutEvents meets: its entries are refused by this pattern, left out of the answer from here on, or
 * it throws.
 */
const fault = fc.oneof(
  { weight: 3, arbitrary: fc.record({ refused: fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }) }) },
  { weight: 1, arbitrary: fc.record({ answered: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constant("throws" as const) },
);

/** The records of a shard in their order: events of four aggregates, what is left out, and what cannot be decoded. */
const shard = fc
  .array(fc.constantFrom("a", "b", "c", "d", "ignored", "undecodable"), { minLength: 1, maxLength: 40 })
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
  busFaults: fc.array(fault, { maxLength: 30 }),
  queueFaults: fc.array(fc.boolean(), { maxLength: 10 }),
  /** Time that is left when it is asked for; after these, plenty. */
  times: fc.array(fc.constantFrom(0, 3_000, 3_001, 60_000), { maxLength: 10 }),
});

describe("a relay that Lambda calls again from the record that it names", () => {
  test("loses nothing and keeps every aggregate's order, whatever fails", async () => {
    const property = fc.asyncProperty(run, async (drawn) => {
      const [busFaults, queueFaults, times] = [
        [...drawn.busFaults],
        [...drawn.queueFaults],
        [...drawn.times],
      ];
      /** Ids in the order in which the bus took them. */
      const taken: string[] = [];
      const quarantined = new Set<string>();
      bus.send.callsFake((async ({ input: { Entries = [] } }: PutEventsCommand) => {
        const events = Entries.map(({ Detail = "" }) => JSON.parse(Detail) as CloudEvent);
        const met = busFaults.shift();
        if (met === "throws") throw new Error("No route");
        const isRefused = (index: number) =>
          met !== undefined && "refused" in met && met.refused[index] === true;
        taken.push(...events.flatMap(({ id }, index) => (isRefused(index) ? [] : [id])));
        const answers = events.map(({ id }, index) =>
          isRefused(index) ? { ErrorCode: "InternalFailure" } : { EventId: id },
        );
        return { Entries: met !== undefined && "answered" in met ? answers.slice(0, met.answered) : answers };
      }) as never);
      queue.send.callsFake((async ({ input: { MessageBody = "" } }: SendMessageCommand) => {
        if (queueFaults.shift()) throw new Error("Queue is gone");
        quarantined.add((JSON.parse(MessageBody) as { sequenceNumber: string }).sequenceNumber);
        return {};
      }) as never);
      const isDone = (record: RelayRecord) =>
        record.kind === "ignored" ||
        (record.kind === "event" ? taken.includes(record.record.id) : quarantined.has(record.sequenceNumber));

      let next = 0;
      while (next < drawn.shard.length) {
        const batch = drawn.shard.slice(next, next + drawn.batchSize);
        const { batchItemFailures } = await relayBatch(
          batch,
          "stream",
          targets,
          () => times.shift() ?? 60_000,
        );
        expect(batchItemFailures.length).toBeLessThanOrEqual(1);
        const reported = batchItemFailures[0]?.itemIdentifier;
        const end =
          reported === undefined ? batch.length : batch.findIndex((one) => one.sequenceNumber === reported);
        expect(end).toBeGreaterThanOrEqual(0);
        // What Lambda will not deliver again is done.
        expect(batch.slice(0, end).filter((record) => !isDone(record))).toEqual([]);
        next += end;
      }

      const events = drawn.shard.flatMap((record) => (record.kind === "event" ? [record.record] : []));
      for (const aggregate of ["a", "b", "c", "d"]) {
        const firsts = [...new Set(taken.filter((id) => id.startsWith(aggregate)))];
        expect(firsts).toEqual(events.filter((one) => one.aggregateId === aggregate).map(({ id }) => id));
      }
    });
    await fc.assert(property, { numRuns: 400 });
  });
});
