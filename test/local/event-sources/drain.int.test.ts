import { afterAll, beforeAll, expect, test } from "vitest";
import { waitUntilAllDrained } from "../../../dist/local/event-sources/drain.js";
import type { InvokeFunction } from "../../../dist/local/event-sources/invoke-function.js";
import { emulatorFixture } from "./emulator-fixture.js";

const READ = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

let fixture: Awaited<ReturnType<typeof emulatorFixture>>;
beforeAll(async () => {
  fixture = await emulatorFixture();
});
afterAll(() => fixture.close());

async function mapped() {
  const queue = await fixture.createQueue({ VisibilityTimeout: "1" });
  const functionName = await fixture.createFunction("async () => null");
  await fixture.allow(functionName, READ, queue.arn);
  return {
    queue,
    mapping: { eventSourceArn: queue.arn, functionName, functionResponseTypes: ["ReportBatchItemFailures"] },
  };
}

test("a chain of sources is drained when its last link is, however late the links pass things on", async () => {
  const links = await Promise.all([mapped(), mapped(), mapped()]);
  const sources = await Promise.all(
    links.map(({ mapping }, index) => {
      const invoke: InvokeFunction = async ({ Records }) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        const bodies = Records.map((record) => ("body" in record ? record.body : ""));
        await links[index + 1]?.queue.send(...bodies);
        return { kind: "answered", response: null };
      };
      return fixture.start(mapping, { invoke });
    }),
  );
  await links[0]?.queue.send(...Array.from({ length: 15 }, (_, index) => `message ${index}`));
  // The last link is asked first: were one look enough, it would be found idle before anything reaches it.
  await waitUntilAllDrained([...sources].reverse());
  expect(sources.map((source) => source.status().counts.succeeded)).toEqual([15, 15, 15]);
});

test("a message that is delayed or hidden keeps its source from being drained, and the source is named", async () => {
  const { queue, mapping } = await mapped();
  const invoke: InvokeFunction = () => Promise.resolve({ kind: "functionError", reason: "Error: never" });
  const source = await fixture.start(mapping, { invoke });
  await queue.send("hello");
  await expect(waitUntilAllDrained([source], { stallMilliseconds: 500 })).rejects.toMatchObject({
    code: "EVENT_SOURCE_NOT_DRAINED",
    message: expect.stringContaining(mapping.functionName) as string,
  });
});
