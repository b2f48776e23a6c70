import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type CrashPointsResult,
  runCrashPoints,
} from "../../dist/test/faults/crash-points/run-crash-points.js";

const PROJECT_ROOT = join(__dirname, "..", "..");

let result: CrashPointsResult;
beforeAll(async () => {
  result = await runCrashPoints(PROJECT_ROOT);
});

test("every guarantee holds after each step's process was killed between every two of its side effects", async ({
  annotate,
}) => {
  await annotate(`${result.struck.length} crash points:\n${result.struck.toSorted().join("\n")}`);
  expect(result.findings).toEqual([]);
});

test("every place that a step came to without faults is a crash point; what comes together by chance may be missed", () => {
  expect(result.missed.filter((point) => !point.endsWith(", again"))).toEqual([]);
});

describe("processes were killed before and after", () => {
  test.each([
    [
      "the single statement of a command",
      "customers-commands registerCustomer",
      "insert into customers, with its event",
    ],
    [
      "the single statement of a deletion",
      "catalog-commands withdrawProduct",
      "delete from products, with its event",
    ],
    ["the begin of a transaction", "customers-commands relocateCustomer", "begin"],
    ["the inbox record in a transaction", "customers-commands relocateCustomer", "insert into inbox"],
    ["the commit of a transaction", "customers-commands relocateCustomer", "commit"],
    ["the transaction of a microservice's command", "orders-commands placeOrder", "TransactWriteItems"],
    ["capture's records", "capture", "its records are put on the stream"],
    ["PutEvents of the monolith's relay", "monolith-relay", "PutEvents"],
    ["its second PutEvents, with a later event of the same aggregate", "monolith-relay", "PutEvents, again"],
    ["its message to the quarantine", "monolith-relay", "SendMessage"],
    ["PutEvents of a microservice's relay", "orders-relay", "PutEvents"],
    ["the write of a projection", "shipping-on-orders", "PutItem shipping-orders-projection"],
    ["the statement of a reaction in the monolith", "catalog-on-orders", "update products, with its event"],
    ["the transaction of a microservice's reaction", "shipping-on-placed", "TransactWriteItems"],
    ["the first batch that retention removes", "monolith-retention", "delete from inbox"],
    ["the second batch that retention removes", "monolith-retention", "delete from inbox, again"],
  ])("%s", (_what, step, sideEffect) => {
    expect(result.struck).toContain(`${step}: killed before ${sideEffect}`);
    expect(result.struck).toContain(`${step}: killed after ${sideEffect}`);
  });

  test("reads that a decision rests on, which leave nothing behind", () => {
    expect(result.struck).toContain(
      "orders-commands placeOrder: killed before GetItem orders-products-projection",
    );
    expect(result.struck).toContain("catalog-on-orders: killed before select products");
    expect(result.struck).toContain(
      "shipping-on-placed: killed before GetItem shipping-customers-projection",
    );
  });
});

test("a database that was killed after capture had acknowledged has its events captured again", () => {
  expect(result.capturedAgain).toBeGreaterThan(0);
});
