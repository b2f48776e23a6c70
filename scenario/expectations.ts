import { describe, expect, test } from "vitest";
import type { OnceReport } from "../test/support/process/run-once";

/**
 * Expectations of the shop's scenario; test/e2e/start.e2e.test.ts runs these tests on the report of one run.
 */
export function expectOf(report: () => OnceReport): void {
  describe("the shop's scenario on the whole system", () => {
    test("passes through all nine steps of the reference", () => {
      expect(report().steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      for (const { count, example } of report().steps) {
        expect(count).toBeGreaterThan(0);
        expect(example).toBeDefined();
      }
    });

    test("raises every type of event that the shop's domains declare", () => {
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
      expect(Object.keys(report().events.byType)).toEqual(expect.arrayContaining(sample));
    });

    test("leaves tombstones for removed aggregates in the projections of every subscriber", () => {
      expect(report().projections).toMatchObject({
        "orders-customers-projection": { rows: 11, tombstones: 3 },
        "shipping-customers-projection": { rows: 11, tombstones: 3 },
        "orders-products-projection": { rows: 10, tombstones: 2 },
        "shipping-orders-projection": { rows: 61, tombstones: 0 },
      });
    });

    test("answers refusals as values, with their codes", () => {
      expect(report().commands.outcomes).toMatchObject({
        "rejected: CUSTOMER_UNKNOWN": 5,
        "rejected: PRODUCT_UNKNOWN": 1,
        "rejected: ORDER_NOT_PLACED": 3,
        "rejected: ORDER_SHIPPED": 3,
        invalid: 2,
      });
    });
  });
}
