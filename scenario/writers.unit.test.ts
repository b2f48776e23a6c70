import { expect, test } from "vitest";
import { operationAt } from "../dist/scenario/writers.js";

test("the same seed gives the same operations", () => {
  const operations = (seed: number) =>
    JSON.stringify(Array.from({ length: 500 }, (_, index) => operationAt(seed, index)));
  expect(operations(3)).toBe(operations(3));
  expect(operations(3)).not.toBe(operations(4));
});

test("operations make every kind of change", () => {
  const operations = Array.from({ length: 2_000 }, (_, index) => operationAt(5, index));
  const names = new Set(
    operations.map((one) => (one.kind === "sql" ? `sql ${one.how}` : `${one.domain}.${one.command}`)),
  );
  expect([...names].sort()).toEqual([
    "catalog.listProduct",
    "catalog.repriceProduct",
    "catalog.withdrawProduct",
    "customers.closeCustomer",
    "customers.registerCustomer",
    "customers.relocateCustomer",
    "orders.cancelOrder",
    "orders.placeOrder",
    "shipping.dispatchShipment",
    "sql committed",
    "sql rolledBack",
  ]);
});

test("a cancellation or a dispatch goes for an order that was to be placed before", () => {
  const operations = Array.from({ length: 1_000 }, (_, index) => operationAt(5, index));
  const placed = new Set<unknown>();
  for (const operation of operations) {
    if (operation.kind === "sql") continue;
    const input = operation.input as Record<string, unknown>;
    if (operation.command === "placeOrder") placed.add(input["orderId"]);
    if (operation.command === "cancelOrder" && placed.size > 0) expect(placed).toContain(input["orderId"]);
  }
});
