import { expect, test } from "vitest";
import { capturedHeader } from "../../../dist/local/journey/record.js";

const captured = (operation: "insert" | "delete", row: Record<string, unknown>) => ({
  schema: "public",
  table: "outbox",
  operation,
  row,
  partitionKey: "a",
  transactionId: 1,
  committedAt: 5,
  putAt: 6,
});

test("An event's journey begins with the row that was captured", () => {
  const row = {
    id: "e",
    aggregate: "customers.Customer",
    aggregate_id: "a",
    aggregate_version: 3,
    type: "T",
  };
  expect(capturedHeader(captured("insert", row))).toEqual({
    eventId: "e",
    source: "customers",
    type: "T",
    aggregateId: "a",
    version: 3,
    committedAt: 5,
  });
});

test("What retention removes has no journey", () => {
  expect(capturedHeader(captured("delete", { aggregate_id: "a", id: null }))).toBeUndefined();
});
