import { EventBridgeClient, PutEventsCommand, type PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { CloudEvent } from "../../runtime/envelope/cloud-event";
import type { StreamBatchResponse } from "../../runtime/relay/relay-batch";
import { fakeHolds, HOLDS_TABLE } from "../support/dynamodb/fake-holds";
import { capturedLog } from "../support/process/captured-log";
import { lambdaContext } from "../support/domain/outbox-records";

/** An event that a test writes to an outbox. */
export interface RelayedEvent {
  id: string;
  aggregateId: string;
  version: number;
}

/** A relay under test, and its stream's records of changes in an outbox. */
export interface RelayUnderTest {
  /** Relays a batch of stream records, numbered from 1. */
  relay(records: unknown[], context: Context): Promise<StreamBatchResponse>;
  /** The record of an event that was added to the outbox. */
  added(event: RelayedEvent): unknown;
  /** Records of changed or removed entries of the outbox, and all other records that are not events. */
  ignored: unknown[];
  /** A record that should be an event but cannot be decoded. */
  undecodable: unknown;
}

const PARTIAL_SEEDS = 40;

const bus = mockClient(EventBridgeClient);
const queue = mockClient(SQSClient);
const holds = fakeHolds();
capturedLog();

/**
 * Tests what every relay must do. Call this once in a test file of the relay.
 *
 * @param name the relay, for titles
 * @param relay called by each test, with the environment that is set before it
 */
export function relayConformance(name: string, underTest: RelayUnderTest): void {
  describe(name, () => describeRelay(underTest));
}

function describeRelay({ relay, added, ignored, undecodable }: RelayUnderTest): void {
  /** In the order of publication, including duplicates. */
  let published: CloudEvent[];

  const busThatFails = (fails: () => boolean) =>
    bus.on(PutEventsCommand).callsFake(({ Entries = [] }: PutEventsCommandInput) => ({
      Entries: Entries.map(({ Detail = "" }) => {
        if (fails()) return { ErrorCode: "InternalFailure" };
        published.push(JSON.parse(Detail) as CloudEvent);
        return { EventId: "1" };
      }),
    }));
  beforeEach(() => {
    bus.reset();
    queue.reset();
    published = [];
    vi.stubEnv("EVENT_BUS_NAME", "domain-events");
    vi.stubEnv("QUARANTINE_QUEUE_URL", "https://queue/quarantine");
    vi.stubEnv("HOLDS_TABLE", HOLDS_TABLE);
    vi.stubEnv("AWS_REGION", "us-east-1");
    holds.clear();
    vi.spyOn(Math, "random").mockReturnValue(0);
    busThatFails(() => false);
  });
  const event = (aggregateId: string, version: number): RelayedEvent => ({
    id: `${aggregateId}-${version}`,
    aggregateId,
    version,
  });
  /** Three versions of each of four aggregates, mixed. */
  const mixed = [1, 2, 3].flatMap((version) => ["a", "b", "c", "d"].map((id) => event(id, version)));
  const ids = () => published.map(({ id }) => id);
  const failedAt = (sequenceNumber: number) => ({
    batchItemFailures: [{ itemIdentifier: String(sequenceNumber) }],
  });

  describe("relaying", () => {
    test("publishes every event, in its aggregate's order, and never two of one aggregate in one call", async () => {
      expect(await relay(mixed.map(added), lambdaContext())).toEqual({ batchItemFailures: [] });
      expect([...ids()].sort()).toEqual(mixed.map(({ id }) => id).sort());
      for (const id of ["a", "b", "c", "d"])
        expect(ids().filter((one) => one.startsWith(id))).toEqual([`${id}-1`, `${id}-2`, `${id}-3`]);
      for (const { args } of bus.commandCalls(PutEventsCommand)) {
        const subjects = args[0].input.Entries?.map(
          ({ Detail = "" }) => (JSON.parse(Detail) as CloudEvent).subject,
        );
        expect(new Set(subjects).size).toBe(subjects?.length);
      }
    });

    test("ignores records that are not events", async () => {
      const records = ignored.flatMap((one, index) => [one, added(event("a", index + 1))]);
      expect(await relay(records, lambdaContext())).toEqual({ batchItemFailures: [] });
      expect(ids()).toEqual(ignored.map((_, index) => `a-${index + 1}`));
      expect(queue.calls()).toEqual([]);
    });

    test("publishes an event again with the same id when it is delivered again", async () => {
      await relay([added(event("a", 1))], lambdaContext());
      await relay([added(event("a", 1))], lambdaContext());
      expect(ids()).toEqual(["a-1", "a-1"]);
    });
  });

  describe("failing", () => {
    test.each(Array.from({ length: PARTIAL_SEEDS }, (_, seed) => seed))(
      "reports the lowest record that is not on the bus, and lets no event overtake an earlier one of its aggregate (%i)",
      async (seed) => {
        // Each seed fails another pattern of entries; most entries fail in most calls.
        let entry = 0;
        busThatFails(() => ((entry += 1) * 2_654_435_761 * (seed + 1)) % 97 < 60);
        const { batchItemFailures } = await relay(mixed.map(added), lambdaContext());
        const done = new Set(ids());
        const lowest = mixed.findIndex(({ id }) => !done.has(id));
        expect(batchItemFailures).toEqual(lowest < 0 ? [] : failedAt(lowest + 1).batchItemFailures);
        for (const id of ["a", "b", "c", "d"]) {
          const versions = ids().filter((one) => one.startsWith(id));
          expect(versions).toEqual([1, 2, 3].slice(0, versions.length).map((version) => `${id}-${version}`));
        }
      },
    );

    test("loses nothing when PutEvents throws: the whole batch is delivered again", async () => {
      bus.on(PutEventsCommand).rejects(new Error("No route"));
      expect(await relay(mixed.map(added), lambdaContext())).toEqual(failedAt(1));
    });

    test("returns the records that there is no time left for", async () => {
      const { batchItemFailures } = await relay(mixed.map(added), lambdaContext(0));
      const done = new Set(ids());
      const lowest = mixed.findIndex(({ id }) => !done.has(id));
      expect(lowest).toBeGreaterThan(0);
      expect(batchItemFailures).toEqual(failedAt(lowest + 1).batchItemFailures);
    });
  });

  describe("what cannot be decoded", () => {
    test("is quarantined with its payload, and does not block other records", async () => {
      const answer = await relay([added(event("a", 1)), undecodable, added(event("a", 2))], lambdaContext());
      expect(answer).toEqual({ batchItemFailures: [] });
      expect(ids()).toEqual(["a-1", "a-2"]);
      const [message, ...more] = queue.commandCalls(SendMessageCommand).map(({ args }) => args[0].input);
      expect(more).toEqual([]);
      const body = JSON.parse(message?.MessageBody ?? "{}") as { sequenceNumber: string; payload: string };
      expect(body.sequenceNumber).toBe("2");
      expect(Buffer.from(body.payload, "base64").length).toBeGreaterThan(0);
    });

    test("is delivered again while it cannot be quarantined, without the records before it", async () => {
      queue.on(SendMessageCommand).rejects(new Error("No queue"));
      const answer = await relay([added(event("a", 1)), undecodable, added(event("b", 1))], lambdaContext());
      expect(answer).toEqual(failedAt(2));
      expect(ids()).toContain("a-1");
    });
  });
}
