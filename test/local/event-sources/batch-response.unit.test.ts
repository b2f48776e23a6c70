import { expect, test } from "vitest";
import { readBatchResponse } from "../../../dist/local/event-sources/invoke-function.js";

const batch = new Set(["a", "b", "c"]);

test.each([
  ["no answer", undefined],
  ["a null answer", null],
  ["an empty answer", {}],
  ["a null list", { batchItemFailures: null }],
  ["an empty list", { batchItemFailures: [] }],
  ["an answer about something else", { statusCode: 200 }],
])("%s is a complete success", (_, response) => {
  expect(readBatchResponse({ kind: "answered", response }, batch)).toEqual({ kind: "success" });
});

test.each([
  ["a text", "ok"],
  ["a list", []],
  ["a number", 1],
  ["a list that is an object", { batchItemFailures: { itemIdentifier: "a" } }],
  ["an empty identifier", { batchItemFailures: [{ itemIdentifier: "" }] }],
  ["a null identifier", { batchItemFailures: [{ itemIdentifier: null }] }],
  ["a bad key name", { batchItemFailures: [{ itemId: "a" }] }],
  ["a bare identifier", { batchItemFailures: ["a"] }],
  ["a null item", { batchItemFailures: [null] }],
  ["an identifier that is not in the batch", { batchItemFailures: [{ itemIdentifier: "z" }] }],
  [
    "a good identifier beside a bad one",
    { batchItemFailures: [{ itemIdentifier: "a" }, { itemIdentifier: "" }] },
  ],
])("%s fails the whole batch", (_, response) => {
  expect(readBatchResponse({ kind: "answered", response }, batch)).toMatchObject({
    kind: "failure",
    reason: expect.any(String) as string,
  });
});

test("an error of the function fails the whole batch", () => {
  const attempt = { kind: "functionError" as const, reason: "Error: no" };
  expect(readBatchResponse(attempt, batch)).toEqual({ kind: "failure", reason: "Error: no" });
});

test("the named records are the failed ones, each once", () => {
  const response = {
    batchItemFailures: [{ itemIdentifier: "c" }, { itemIdentifier: "a" }, { itemIdentifier: "c" }],
  };
  expect(readBatchResponse({ kind: "answered", response }, batch)).toEqual({
    kind: "partial",
    identifiers: new Set(["c", "a"]),
  });
});
