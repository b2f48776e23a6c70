import type { SQSRecord } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FaultAfter } from "../../../dist/local/event-sources/fault-plan.js";
import type { InvokeFunction } from "../../../dist/local/event-sources/invoke-function.js";
import { emulatorFixture, eventually } from "./emulator-fixture.js";
import { once } from "./streams/run-stream.js";

const READ = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
const ANSWERS = { functionResponseTypes: ["ReportBatchItemFailures"] };
/** Reports every message that says "bad", and fails altogether if one says "worse". */
const HANDLER = `async ({ Records }) => {
  if (Records.some(({ body }) => body === "worse")) throw new Error("It got worse.");
  return { batchItemFailures: Records.filter(({ body }) => body === "bad").map(({ messageId }) => ({ itemIdentifier: messageId })) };
}`;

let fixture: Awaited<ReturnType<typeof emulatorFixture>>;
beforeAll(async () => {
  fixture = await emulatorFixture();
});
afterAll(() => fixture.close());

/** A queue, its dead-letter queue, and a function that may read it. */
async function deploy(handler = HANDLER) {
  const deadLetters = await fixture.createQueue();
  const queue = await fixture.createQueue({
    VisibilityTimeout: "1",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: "2" }),
  });
  const functionName = await fixture.createFunction(handler);
  await fixture.allow(functionName, READ, queue.arn);
  return {
    queue,
    deadLetters,
    functionName,
    mapping: { eventSourceArn: queue.arn, functionName, ...ANSWERS },
  };
}

const bodies = (records: object[]) => records.map((record) => (record as SQSRecord).body);

test("messages reach the function in Lambda's event and are deleted", async () => {
  const { queue, mapping } = await deploy();
  await queue.send("one", "two");
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  expect(bodies(source.recordsOf("deleted"))).toEqual(["one", "two"]);
  expect(source.recordsOf("invoked")[0]).toEqual({
    messageId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    receiptHandle: expect.any(String) as string,
    body: "one",
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: expect.stringMatching(/^\d{13}$/) as string,
      SenderId: expect.any(String) as string,
      ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/) as string,
    },
    messageAttributes: {},
    md5OfBody: "f97c5d29941bfb1b2fdab0874906ab82",
    eventSource: "aws:sqs",
    eventSourceARN: queue.arn,
    awsRegion: "us-east-1",
  });
  expect(source.status()).toMatchObject({
    state: "Enabled",
    counts: { received: 2, succeeded: 2, failed: 0 },
    inFlight: 0,
  });
});

test("reported messages are delivered again and end in the dead-letter queue, the others do not", async () => {
  const { queue, deadLetters, mapping } = await deploy();
  await queue.send("good", "bad", "good");
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  expect(bodies(source.recordsOf("failed"))).toEqual(["bad", "bad"]);
  expect(bodies(source.recordsOf("deleted"))).toEqual(["good", "good"]);
  expect(await deadLetters.bodies()).toEqual(["bad"]);
});

test("a function that throws keeps its whole batch in the queue", async () => {
  const { queue, deadLetters, mapping } = await deploy();
  await queue.send("good", "worse");
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  expect(source.recordsOf("deleted")).toEqual([]);
  expect(source.observations.find(({ kind }) => kind === "failed")).toMatchObject({
    reason: expect.stringContaining("It got worse.") as string,
  });
  expect((await deadLetters.bodies()).sort()).toEqual(["good", "worse"]);
});

test.each(READ)("without %s the source has a problem, and works once the role has it", async (missing) => {
  const { queue, functionName, mapping } = await deploy();
  const others = READ.filter((action) => action !== missing);
  await fixture.allow(functionName, others, queue.arn);
  const source = await fixture.start(mapping);
  await queue.send("hello");
  await eventually(() => source.status().state === "Problem");
  expect(source.status().problems[0]).toMatchObject({
    code: "AccessDenied",
    message: expect.stringContaining(missing) as string,
  });
  expect(source.observations.some(({ kind }) => kind === "problem")).toBe(true);
  expect(await source.isIdle()).toBe(false);
  await fixture.allow(functionName, READ, queue.arn);
  await eventually(() => source.recordsOf("deleted").length > 0);
  await source.waitUntilDrained();
  expect(source.status().state).toBe("Enabled");
});

test("a function that does not exist is a problem until it is there", async () => {
  const queue = await fixture.createQueue();
  const source = await fixture.start({ eventSourceArn: queue.arn, functionName: "nowhere", ...ANSWERS });
  expect(source.status()).toMatchObject({
    state: "Problem",
    problems: [{ code: "ResourceNotFoundException" }],
  });
  await expect(source.waitUntilDrained({ stallMilliseconds: 50 })).rejects.toMatchObject({
    code: "EVENT_SOURCE_NOT_DRAINED",
  });
});

test.each([
  ["the mapping", { scalingConfig: { maximumConcurrency: 2 } }, { maximumConcurrency: 5 }],
  ["the pace", {}, { maximumConcurrency: 2 }],
])(
  "no more invocations run at once than %s allows, and no message is received without one",
  async (_, limit, pace) => {
    const { queue, mapping } = await deploy();
    await queue.send(...Array.from({ length: 6 }, (_, index) => `message ${index}`));
    let [running, most] = [0, 0];
    const invoke: InvokeFunction = async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 50));
      running -= 1;
      return { kind: "answered", response: null };
    };
    const source = await fixture.start({ ...mapping, ...limit, batchSize: 1 }, { invoke, pace });
    await source.waitUntilDrained();
    expect(most).toBe(2);
    expect(source.recordsOf("received")).toHaveLength(6);
  },
);

test("a message whose answer was lost is delivered again after the visibility timeout", async () => {
  const { queue, mapping } = await deploy();
  await queue.send("hello");
  const lose = once<FaultAfter>("lose");
  const source = await fixture.start(mapping, { faults: { afterInvoke: () => Promise.resolve(lose()) } });
  await source.waitUntilDrained();
  expect(source.status().counts).toMatchObject({ invocations: 2, undelivered: 1, succeeded: 1 });
});

test("messages may be reordered, doubled and held back, and still are processed", async () => {
  const { queue, mapping } = await deploy();
  await queue.send("one", "two", "three");
  const isFirst = once(true);
  const arrange = (records: readonly SQSRecord[]): Promise<readonly SQSRecord[]> => {
    const [one, two, three] = records;
    if (!isFirst() || !one || !two || !three) return Promise.resolve(records);
    return Promise.resolve([two, one, two]);
  };
  const source = await fixture.start(mapping, { faults: { arrange } });
  await source.waitUntilDrained();
  expect(bodies(source.recordsOf("invoked"))).toEqual(["two", "one", "two", "three"]);
});

test("a throttled invocation is repeated while its messages are hidden", async () => {
  const { queue, mapping } = await deploy();
  await queue.send("hello");
  let throttles = 2;
  const invoke: InvokeFunction = () =>
    Promise.resolve(
      throttles-- > 0
        ? { kind: "throttled", reason: "busy" }
        : { kind: "answered", response: { batchItemFailures: [] } },
    );
  const source = await fixture.start(mapping, { invoke });
  await source.waitUntilDrained();
  expect(source.recordsOf("received")).toHaveLength(1);
  expect(source.status().counts).toMatchObject({ undelivered: 2, succeeded: 1 });
});

test("a stop lets the running invocation finish and delete, and takes no other message", async () => {
  const { queue, mapping } = await deploy();
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const invoke: InvokeFunction = async () => {
    await gate;
    return { kind: "answered", response: null };
  };
  const source = await fixture.start(mapping, { invoke });
  await queue.send("first");
  await eventually(() => source.status().counts.invocations === 1);
  const stopped = source.stop();
  release();
  await stopped;
  await queue.send("second");
  expect(bodies(source.recordsOf("deleted"))).toEqual(["first"]);
  expect(await queue.bodies()).toEqual(["second"]);
  expect(source.status().state).toBe("Stopped");
});

test("an invocation that does not end is given up when the time for stopping is over", async () => {
  const { queue, mapping } = await deploy();
  const invoke: InvokeFunction = () => new Promise(() => undefined);
  const source = await fixture.start(mapping, { invoke, pace: { stopMilliseconds: 10 } });
  await queue.send("hello");
  await eventually(() => source.status().counts.invocations === 1);
  await source.stop();
  expect(source.recordsOf("deleted")).toEqual([]);
});
