import { describe, expect, test } from "vitest";
import { inMemory } from "../../test/support/in-memory-domain";
import { domain } from ".";

const ID = "0a2e4c5d-1111-4222-8333-444455556666";
const ORDER_ID = "1a2e4c5d-1111-4222-8333-444455556666";
const lamp = { productId: ID, title: "Lamp", priceCents: 1250, stock: 5, supplierCostCents: 700 };
const withLamp = inMemory(domain, { products: [{ ...lamp, version: 4 }] });
const withNothing = inMemory(domain);
const unknown = {
  outcome: "rejected",
  id: expect.any(String),
  code: "PRODUCT_UNKNOWN",
  message: `There is no catalog.Product "${ID}" here: it never existed, is not known yet, or is gone.`,
};

describe("listProduct", () => {
  test("lists a product", async () => {
    expect(await withNothing.run("listProduct", lamp)).toEqual([
      { event: "ProductListed", change: {}, create: lamp },
    ]);
  });

  test("rejects a product that is listed already", async () => {
    expect(await withLamp.run("listProduct", lamp)).toMatchObject({
      outcome: "rejected",
      code: "PRODUCT_EXISTS",
      message: `The catalog.Product "${ID}" exists. Use another id.`,
    });
  });

  test.each([{ priceCents: -1 }, { priceCents: 12.5 }, { stock: -1 }, { title: "" }])(
    "refuses %j",
    async (wrong) => {
      expect(await withNothing.run("listProduct", { ...lamp, ...wrong })).toMatchObject({
        outcome: "invalid",
        issues: [{ path: Object.keys(wrong)[0] }],
      });
    },
  );
});

describe("repriceProduct", () => {
  test("says the price before and after, on the version that was read", async () => {
    expect(await withLamp.run("repriceProduct", { productId: ID, priceCents: 1500 })).toEqual([
      {
        event: "ProductRepriced",
        change: { fromCents: 1250, toCents: 1500 },
        update: { priceCents: 1500 },
        of: 4,
      },
    ]);
  });

  test("changes nothing when the price is the same", async () => {
    expect(await withLamp.run("repriceProduct", { productId: ID, priceCents: 1250 })).toEqual([]);
  });

  test("rejects a product that is not known", async () => {
    expect(await withNothing.run("repriceProduct", { productId: ID, priceCents: 1 })).toEqual(unknown);
  });
});

describe("withdrawProduct", () => {
  test("removes the product as it was read", async () => {
    expect(await withLamp.run("withdrawProduct", { productId: ID })).toEqual([
      { event: "ProductWithdrawn", change: {}, remove: ID, of: 4 },
    ]);
  });

  test("rejects a product that is not known", async () => {
    expect(await withNothing.run("withdrawProduct", { productId: ID })).toEqual(unknown);
  });
});

describe("A placed order", () => {
  const placed = (quantity: number) => ({
    type: "OrderPlaced",
    aggregateId: ORDER_ID,
    change: { productId: ID, quantity },
    state: null,
  });

  test("takes its quantity from the stock", async () => {
    expect(await withLamp.react("orders", placed(2))).toEqual([
      {
        event: "ProductStockTaken",
        change: { orderId: ORDER_ID, quantity: 2 },
        update: { stock: 3 },
        of: 4,
      },
    ]);
  });

  test("takes no more than there is", async () => {
    expect(await withLamp.react("orders", placed(9))).toMatchObject([
      { change: { quantity: 5 }, update: { stock: 0 } },
    ]);
  });

  test("takes nothing from a product that was withdrawn meanwhile", async () => {
    expect(await withNothing.react("orders", placed(2))).toEqual([]);
  });
});
