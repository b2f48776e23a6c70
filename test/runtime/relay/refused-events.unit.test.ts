import { EventBridgeClient, PutEventsCommand, type PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { CloudEvent } from "../../../runtime/envelope/cloud-event";
import type { QuarantineMessage } from "../../../runtime/relay/quarantine";
import { relayBatch } from "../../../runtime/relay/relay-batch";
import type { RelayRecord } from "../../../runtime/relay/relay-record";
import { BANK_EVENTS, eventRecord, outboxRecord } from "../../support/domain/outbox-records";
import { fakeHolds } from "../../support/dynamodb/fake-holds";
import { capturedLog } from "../../support/process/captured-log";

const bus = mockClient(EventBridgeClient);
const queue = mockClient(SQSClient);
const holds = fakeHolds();
const log = capturedLog();
const targets = {
  known: BANK_EVENTS,
  events: new EventBridgeClient({ region: "us-east-1" }),
  queues: new SQSClient({ region: "us-east-1" }),
  holds: holds.table,
  eventBus: "domain-events",
  quarantineQueue: "https://queue/quarantine",
};
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** What the bus took, as "<aggregate id><version>". */
let taken: string[];
beforeEach(() => {
  bus.reset();
  queue.reset();
  holds.clear();
  taken = [];
  vi.spyOn(Math, "random").mockReturnValue(0);
  answering({});
});

/** How the bus answers: for each aggregate's id, a call with an event of it throws, or its entry fails. */
function answering({
  throws = {},
  entries = {},
}: {
  throws?: Record<string, string>;
  entries?: Record<string, string>;
}) {
  bus.on(PutEventsCommand).callsFake(({ Entries = [] }: PutEventsCommandInput) => {
    const events = Entries.map(({ Detail = "" }) => JSON.parse(Detail) as CloudEvent);
    const thrown = events.flatMap(({ subject }) => throws[subject] ?? [])[0];
    if (thrown) throw Object.assign(new Error("The call is refused"), { name: thrown });
    return {
      Entries: events.map(({ id, subject, sequence }) => {
        const ErrorCode = entries[subject];
        if (ErrorCode) return { ErrorCode, ErrorMessage: "The entry is refused" };
        taken.push(`${subject}${sequence}`);
        return { EventId: id };
      }),
    };
  });
}

/** Events named by aggregate and version, e.g. "a1", numbered from 1; some seconds old. */
const events = (names: string[], ageSeconds = 0): RelayRecord[] =>
  names.map((name, index) => ({
    ...eventRecord(String(index + 1), { aggregateId: name[0]!, aggregateVersion: Number(name.slice(1)) }),
    arrivedAt: Date.now() / 1_000 - ageSeconds,
  }));
const relay = (records: RelayRecord[]) => relayBatch(records, "stream", targets, () => 60_000);
const quarantined = () =>
  queue
    .commandCalls(SendMessageCommand)
    .map(({ args }) => JSON.parse(args[0].input.MessageBody!) as QuarantineMessage);
const many = "bcdefghijklmnopqrstuvwxyz".split("").map((id) => `${id}1`);
const ALL_DONE = { batchItemFailures: [] };

describe("a relay that meets an event of another domain or of no contract", () => {
  test.each([
    ["a misspelt domain", { aggregate: "banks.Account" }],
    ["a misspelt aggregate", { aggregate: "bank.Acount" }],
    ["another domain", { aggregate: "orders.Order", type: "OrderPlaced" }],
    ["other capitals", { aggregate: "Bank.Account" }],
    ["the name of something that every object has", { aggregate: "bank.constructor", type: "constructor" }],
    ["a type that the contract does not have", { type: "AccountOpenned" }],
    ["a type of another aggregate", { type: "OrderPlaced" }],
  ])("quarantines one with %s, and publishes the others", async (_, overrides) => {
    const stranger = { ...eventRecord("0"), record: outboxRecord({ aggregateId: "x", ...overrides }) };
    expect(await relay([stranger, ...events(["a1", "a2", "b1"])])).toEqual(ALL_DONE);
    expect(taken.sort()).toEqual(["a1", "a2", "b1"]);
    expect(quarantined()).toEqual([expect.objectContaining({ sequenceNumber: "0" })]);
  });

  test("holds nothing for an aggregate that it never publishes", async () => {
    const stranger = { ...eventRecord("0"), record: outboxRecord({ aggregate: "customer.Customer" }) };
    await relay([stranger]);
    expect(quarantined()[0]).not.toHaveProperty("aggregateKey");
    expect(holds.next()).toEqual({});
  });

  test("lets no later event of the same aggregate overtake it", async () => {
    const unknown = eventRecord("0", { aggregateId: "a", aggregateVersion: 2, type: "AccountOpenned" });
    expect(await relay([unknown, ...events(["a3", "b1", "a4"])])).toEqual(ALL_DONE);
    expect(taken).toEqual(["b1"]);
    expect(quarantined().map(({ aggregateKey, version }) => [aggregateKey, version])).toEqual(
      [2, 3, 4].map((version) => ["bank.Account/a", version]),
    );
  });
});

describe("a call that the bus refuses as a whole", () => {
  test.each(["AccessDeniedException", "ValidationException", "SomeFutureException", "TypeError"])(
    "is split until the culprit is found (%s), which is quarantined with what follows it",
    async (code) => {
      answering({ throws: { k: code } });
      expect(await relay(events(["a1", ...many, "k2", "a2", "k3"]))).toEqual(ALL_DONE);
      const good = ["a1", "a2", ...many.filter((name) => name !== "k1")];
      expect(taken.sort()).toEqual(good.sort());
      expect(quarantined().map(({ version, reason }) => [version, reason])).toEqual([
        [1, `The bus does not take the event (${code}). The call is refused`],
        [2, "It waits for version 1 of its aggregate, which is in quarantine too."],
        [3, "It waits for version 1 of its aggregate, which is in quarantine too."],
      ]);
      expect(holds.next()).toEqual({ "bank.Account/k": 1 });
    },
  );

  test("quarantines nothing while the bus refuses everything, as without its permission", async () => {
    answering({
      throws: Object.fromEntries(["a", ...many].map((name) => [name[0], "AccessDeniedException"])),
    });
    const records = events(["a1", ...many], 11 * HOUR);
    expect(await relay(records)).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(quarantined()).toEqual([]);
  });

  test.each(["TimeoutError", "ThrottlingException", "ECONNRESET"])(
    "is not split for %s, which says nothing about its events, and quarantines none however old they are",
    async (code) => {
      answering({ throws: { k: code } });
      expect(await relay(events(["k1", "a1"], 13 * HOUR))).toEqual({
        batchItemFailures: [{ itemIdentifier: "1" }],
      });
      expect(bus.commandCalls(PutEventsCommand)).toHaveLength(5);
      expect(quarantined()).toEqual([]);
    },
  );

  test("publishes the good events also when more aggregates than fit into a call are refused", async () => {
    answering({
      throws: Object.fromEntries(many.slice(0, 15).map((name) => [name[0], "ValidationException"])),
    });
    expect(await relay(events([...many, "a1"]))).toEqual(ALL_DONE);
    expect(taken.sort()).toEqual([...many.slice(15), "a1"].sort());
    expect(quarantined()).toHaveLength(15);
  });

  test("logs no message of the refusal, which may quote the event", async () => {
    answering({ throws: { k: "ValidationException" } });
    await relay(events(["k1", "a1"]));
    expect(JSON.stringify(log)).toContain("ValidationException");
    expect(JSON.stringify(log)).not.toContain("The call is refused");
  });
});

describe("an entry that the bus does not take", () => {
  test.each(["MalformedDetail", "NotAuthorizedForSourceException", "InvalidArgument"])(
    "is quarantined at once for %s, also where no other event shows that the bus works",
    async (code) => {
      answering({ entries: { a: code } });
      expect(await relay(events(["a1", "a2"]))).toEqual(ALL_DONE);
      expect(quarantined().map(({ version }) => version)).toEqual([1, 2]);
    },
  );

  test("is retried for an error that may pass, until it has failed for a quarter of an hour", async () => {
    answering({ entries: { a: "InternalFailure" } });
    const failed = { batchItemFailures: [{ itemIdentifier: "1" }] };
    expect(await relay(events(["a1", "b1", "a2"], 14 * MINUTE))).toEqual(failed);
    expect(quarantined()).toEqual([]);
    expect(await relay(events(["a1", "b1", "a2"], 16 * MINUTE))).toEqual(ALL_DONE);
    expect(quarantined().map(({ version }) => version)).toEqual([1, 2]);
    expect(taken).not.toContain("a2");
  });

  test("is kept where the bus takes nothing, until a DynamoDB stream would soon lose it", async () => {
    answering({ entries: { a: "InternalFailure" } });
    expect(await relay(events(["a1"], 11 * HOUR))).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(await relay(events(["a1"], 13 * HOUR))).toEqual(ALL_DONE);
    expect(quarantined()).toHaveLength(1);
  });

  test("is never given up because the bus is busy", async () => {
    answering({ entries: { a: "ThrottlingException" } });
    expect(await relay(events(["a1", "b1"], 13 * HOUR))).toEqual({
      batchItemFailures: [{ itemIdentifier: "1" }],
    });
    expect(quarantined()).toEqual([]);
  });

  test("is not lost when it can be neither held nor quarantined", async () => {
    answering({ entries: { a: "MalformedDetail" } });
    holds.failing((command) => command === "PutItemCommand");
    const first = { batchItemFailures: [{ itemIdentifier: "1" }] };
    expect(await relay(events(["a1", "b1", "a2"]))).toEqual(first);
    expect(quarantined().map(({ version }) => version)).not.toContain(1);
    holds.clear();
    queue.on(SendMessageCommand).rejects(new Error("Queue is gone"));
    expect(await relay(events(["a1", "b1", "a2"]))).toEqual(first);
  });
});

describe("a held aggregate", () => {
  const held = async () => {
    answering({ entries: { a: "MalformedDetail" } });
    await relay(events(["a5"]));
    answering({});
    queue.resetHistory();
    taken = [];
  };

  test("gets nothing onto the bus in later invocations, while its shard goes on", async () => {
    await held();
    expect(await relay(events(["a6", "b1"]))).toEqual(ALL_DONE);
    expect(await relay(events(["a7", "c1"]))).toEqual(ALL_DONE);
    expect(taken).toEqual(["b1", "c1"]);
    expect(quarantined().map(({ version }) => version)).toEqual([6, 7]);
  });

  test("goes on from the event that is put back, in order, whatever order it comes back in", async () => {
    await held();
    await relay(events(["a6", "a5", "a7"]));
    expect(taken).toEqual(["a5"]);
    expect(quarantined().map(({ version }) => version)).toEqual([6, 7]);
    await relay(events(["a6"]));
    await relay(events(["a7", "a8"]));
    expect(taken).toEqual(["a5", "a6", "a7", "a8"]);
    expect(holds.next()).toEqual({ "bank.Account/a": 9 });
  });

  test("lets repeats of earlier events pass", async () => {
    await held();
    await relay(events(["a4"]));
    expect(taken).toEqual(["a4"]);
  });

  test("is relayed again when its hold could not be advanced", async () => {
    await held();
    holds.failing((command) => command === "UpdateItemCommand");
    expect(await relay(events(["b1", "a5"]))).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
    holds.failing(() => false);
    expect(await relay(events(["a5", "a6"]))).toEqual(ALL_DONE);
    expect(taken).toEqual(["b1", "a5", "a5", "a6"]);
  });

  test("is held no longer than the quarantine keeps its event", async () => {
    await held();
    vi.useFakeTimers({ now: Date.now() + 15 * 24 * HOUR * 1_000, toFake: ["Date"] });
    try {
      await relay(events(["a6"]));
    } finally {
      vi.useRealTimers();
    }
    expect(taken).toEqual(["a6"]);
  });

  test("publishes nothing while it is unknown what is held", async () => {
    holds.failing((command) => command === "BatchGetItemCommand");
    expect(await relay(events(["a1", "b1"]))).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(taken).toEqual([]);
  });
});
