import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type OnceResult, runSystemOnce } from "./run-once";

const PROJECT_ROOT = join(__dirname, "..", "..");

describe("the shop's scenario on the whole system", () => {
  let result: OnceResult;
  beforeAll(async () => {
    result = await runSystemOnce(PROJECT_ROOT);
  });

  test("holds in every point, with IAM enforced", () => {
    expect(result.report.faults).toEqual([]);
    expect(result.report.held).toBe(true);
    expect(result.report.emulator.iamEnforced).toBe(true);
    expect(result.exitCode).toBe(0);
  });

  test("loses nothing, applies nothing twice, leaves nothing stale and leaks nothing private", () => {
    const { lost, duplicated, stale, leaks } = result.report;
    expect({ lost, duplicated, stale, leaks }).toEqual({ lost: [], duplicated: [], stale: [], leaks: [] });
  });

  test("passes through all nine steps of the reference", () => {
    expect(result.report.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const { count, example } of result.report.steps) {
      expect(count).toBeGreaterThan(0);
      expect(example).toBeDefined();
    }
  });

  test("publishes every type of event that the sample domains declare", () => {
    const sample = [
      "CustomerClosed",
      "CustomerRegistered",
      "CustomerRelocated",
      "OrderCancelled",
      "OrderPlaced",
      "OrderShipped",
      "ProductListed",
      "ProductRepriced",
      "ProductStockTaken",
      "ProductWithdrawn",
      "ShipmentDispatched",
      "ShipmentPrepared",
      "ShipmentRedirected",
    ];
    expect(Object.keys(result.report.events.publishedByType)).toEqual(expect.arrayContaining(sample));
  });

  test("leaves tombstones for what is gone in the projections of every subscriber", () => {
    const { tables } = result.report.projections;
    expect(tables["orders.customers"]).toEqual({ rows: 11, tombstones: 3 });
    expect(tables["shipping.customers"]).toEqual({ rows: 11, tombstones: 3 });
    expect(tables["orders.products"]).toEqual({ rows: 10, tombstones: 2 });
    expect(tables["shipping.orders"]).toEqual({ rows: 61, tombstones: 0 });
  });

  test("answers refusals as values, with their codes", () => {
    expect(result.report.commands.outcomes).toMatchObject({
      "rejected: CUSTOMER_UNKNOWN": 5,
      "rejected: PRODUCT_UNKNOWN": 1,
      "rejected: ORDER_NOT_PLACED": 3,
      "rejected: ORDER_SHIPPED": 3,
      invalid: 2,
    });
  });

  test("keeps every package within 400 KB", () => {
    for (const bytes of Object.values(result.report.packageBytes)) expect(bytes).toBeLessThan(400 * 1024);
  });
});
