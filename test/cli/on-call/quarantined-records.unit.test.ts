import { expect, test } from "vitest";
import type { HeldMessage } from "../../../dist/cli/on-call/held-messages.js";
import { quarantinedRecords } from "../../../dist/cli/on-call/quarantined-records.js";

const STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/cdc";

/** A message as a relay sends it; a string is its body as it is. */
function message(
  id: string,
  body: Record<string, unknown> | string,
  sentAt = `2026-05-04T00:00:0${id}.000Z`,
) {
  const whole = { stream: STREAM, sequenceNumber: "1", reason: "broken", part: 1, parts: 1, payload: "" };
  const text = typeof body === "string" ? body : JSON.stringify({ ...whole, ...body });
  return { queueUrl: "q", id, receiptHandle: `handle-${id}`, body: text, sentAt } satisfies HeldMessage;
}
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("Parts are put together in their order, whatever order they come in", () => {
  const { records } = quarantinedRecords("monolith", [
    message("3", { part: 3, parts: 3, payload: base64("cc") }),
    message("1", { part: 1, parts: 3, payload: base64("aa"), partitionKey: "k" }),
    message("2", { part: 2, parts: 3, payload: base64("bb") }),
  ]);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ id: "monolith/1", quarantinedAt: "2026-05-04T00:00:01.000Z" });
  expect(String(records[0]?.payload)).toBe("aabbcc");
  expect(records[0]?.messages.map(({ id }) => id)).toEqual(["3", "1", "2"]);
});

test("A record that was quarantined twice is one record, and both its messages belong to it", () => {
  const { records } = quarantinedRecords("monolith", [
    message("1", { payload: base64("a") }),
    message("2", { payload: base64("a") }),
  ]);
  expect(records.map(({ payload }) => String(payload))).toEqual(["a"]);
  expect(records[0]?.messages).toHaveLength(2);
});

test("A record without all of its parts has no content", () => {
  const { records } = quarantinedRecords("monolith", [
    message("1", { part: 2, parts: 2, payload: base64("b") }),
    message("2", { part: 2, parts: 2, payload: base64("b") }),
  ]);
  expect(records[0]).toMatchObject({ id: "monolith/1", payload: undefined });
});

test("Records are identified by stream and sequence number, and the oldest is first", () => {
  const { records } = quarantinedRecords("monolith", [
    message("3", { sequenceNumber: "9" }),
    message("1", { sequenceNumber: "8" }),
    message("2", { sequenceNumber: "8", stream: `${STREAM}-2` }),
  ]);
  expect(records.map(({ stream, sequenceNumber }) => [stream, sequenceNumber])).toEqual([
    [STREAM, "8"],
    [`${STREAM}-2`, "8"],
    [STREAM, "9"],
  ]);
});

test.each([
  "hello",
  "null",
  "{}",
  JSON.stringify({ stream: STREAM, sequenceNumber: "1", reason: "r", part: 0, parts: 1, payload: "" }),
  JSON.stringify({ stream: "s", sequenceNumber: "1", reason: "r", part: 1, parts: 1, payload: "" }),
  JSON.stringify({ stream: STREAM, sequenceNumber: "1", reason: "r", part: 1, parts: 1, payload: "%" }),
])("A message that no relay has sent is no record: %s", (body) => {
  const { records, foreign } = quarantinedRecords("monolith", [message("1", body)]);
  expect(records).toEqual([]);
  expect(foreign.map(({ id }) => id)).toEqual(["1"]);
});
