import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test } from "vitest";
import { quarantine } from "../../../runtime/relay/quarantine";

const queue = mockClient(SQSClient);
const client = new SQSClient({ region: "us-east-1" });
const QUEUE = "https://queue/quarantine";
/** What a message of every queue may have. */
const MAX_MESSAGE_BYTES = 256 * 1024;

beforeEach(() => queue.reset());

const record = (payload: Buffer) => ({
  stream: "stream",
  sequenceNumber: "7",
  reason: "No JSON.",
  payload,
});
const bodies = () =>
  queue.commandCalls(SendMessageCommand).map(({ args }) => args[0].input.MessageBody ?? "");
const parts = () =>
  bodies().map((body) => JSON.parse(body) as { part: number; parts: number; payload: string });
const together = () => Buffer.concat(parts().map(({ payload }) => Buffer.from(payload, "base64")));

describe("quarantine", () => {
  test("keeps the payload byte for byte, also where it is no text", async () => {
    const payload = Buffer.from([0, 255, 254, 128, 34, 10]);
    await quarantine(client, QUEUE, record(payload));
    expect(together()).toEqual(payload);
  });

  test("keeps an empty record too", async () => {
    await quarantine(client, QUEUE, record(Buffer.alloc(0)));
    expect(parts()).toMatchObject([{ part: 1, parts: 1, payload: "" }]);
  });

  test("sends a record of Kinesis's maximum size in parts that every queue takes and that add up to it again", async () => {
    const payload = Buffer.alloc(1024 * 1024, "0123456789é");
    await quarantine(client, QUEUE, record(payload));
    expect(together()).toEqual(payload);
    const all = parts();
    expect(all.map(({ part }) => part)).toEqual(all.map((_, index) => index + 1));
    expect(new Set(all.map((one) => one.parts))).toEqual(new Set([all.length]));
    for (const body of bodies()) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  });

  test("fails when any part was not taken", async () => {
    queue.on(SendMessageCommand).resolvesOnce({}).rejects(new Error("Queue is gone"));
    await expect(quarantine(client, QUEUE, record(Buffer.alloc(300_000)))).rejects.toThrow("Queue is gone");
  });
});
