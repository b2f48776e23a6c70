import { expect, test } from "vitest";
import { decideQueueBatch } from "../../../dist/local/event-sources/queue-decision.js";

const batch = new Set(["a", "b", "c"]);
const none = new Set<string>();
const answered = (response: unknown) => ({ kind: "answered" as const, response });

test("a success deletes all messages", () => {
  expect(decideQueueBatch(batch, answered(null), true)).toEqual({ deleted: batch, kept: none });
  expect(decideQueueBatch(batch, answered({ batchItemFailures: [] }), true)).toEqual({
    deleted: batch,
    kept: none,
  });
});

test("a function error deletes none", () => {
  const decision = decideQueueBatch(batch, { kind: "functionError", reason: "Error: no" }, true);
  expect(decision).toEqual({ deleted: none, kept: batch, reason: "Error: no" });
});

test("only the reported messages stay", () => {
  const response = { batchItemFailures: [{ itemIdentifier: "b" }] };
  expect(decideQueueBatch(batch, answered(response), true)).toMatchObject({
    deleted: new Set(["a", "c"]),
    kept: new Set(["b"]),
  });
});

test("without ReportBatchItemFailures reported messages are deleted too", () => {
  const response = { batchItemFailures: [{ itemIdentifier: "b" }] };
  expect(decideQueueBatch(batch, answered(response), false)).toEqual({ deleted: batch, kept: none });
});

test.each([["z"], [""], [null]])("an answer that names %j keeps the whole batch", (itemIdentifier) => {
  const decision = decideQueueBatch(
    batch,
    answered({ batchItemFailures: [{ itemIdentifier: "a" }, { itemIdentifier }] }),
    true,
  );
  expect(decision).toMatchObject({ deleted: none, kept: batch });
});

test("an answer that is not JSON keeps the whole batch", () => {
  expect(decideQueueBatch(batch, answered("<html>"), true)).toMatchObject({ deleted: none, kept: batch });
});
