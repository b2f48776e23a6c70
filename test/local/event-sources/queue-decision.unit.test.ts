import { expect, test } from "vitest";
import { decideQueueBatch } from "../../../dist/local/event-sources/queue-source.js";

const [a, b, c] = ["a", "b", "c"].map((messageId) => ({ messageId }));
const batch = [a, b, c] as { messageId: string }[];
const answered = (response: unknown) => ({ kind: "answered" as const, response });

test("a success deletes all messages", () => {
  const all = { deleted: batch, kept: [], reason: "" };
  expect(decideQueueBatch(batch, answered(null))).toEqual(all);
  expect(decideQueueBatch(batch, answered({ batchItemFailures: [] }))).toEqual(all);
});

test("a function error deletes none", () => {
  const decision = decideQueueBatch(batch, { kind: "functionError", reason: "Error: no" });
  expect(decision).toEqual({ deleted: [], kept: batch, reason: "Error: no" });
});

test("only the reported messages stay", () => {
  const response = { batchItemFailures: [{ itemIdentifier: "b" }] };
  expect(decideQueueBatch(batch, answered(response))).toMatchObject({ deleted: [a, c], kept: [b] });
});

test.each([["z"], [""], [null]])("an answer that names %j keeps the whole batch", (itemIdentifier) => {
  const response = { batchItemFailures: [{ itemIdentifier: "a" }, { itemIdentifier }] };
  expect(decideQueueBatch(batch, answered(response))).toMatchObject({ deleted: [], kept: batch });
});

test("an answer that is not JSON keeps the whole batch", () => {
  expect(decideQueueBatch(batch, answered("<html>"))).toMatchObject({ deleted: [], kept: batch });
});
