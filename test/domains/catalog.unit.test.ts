import { describe, expect, test } from "vitest";
import { domain } from "../../dist/domains/catalog/index.js";
import { react, rows, run } from "../support/handles";

const ID = "0a2e4c5d-1111-4222-8333-444455556666";
const ORDER_ID = "1a2e4c5d-1111-4222-8333-444455556666";
const { listProduct, repriceProduct, withdrawProduct } = domain.commands;
const lamp = {
  product_id: ID,
  title: "Lamp",
  price_cents: 1250,
  stock: 5,
  supplier_cost_cents: 700,
  version: 4,
};
const withLamp = { products: rows("product_id", lamp) };
const withNothing = { products: rows("product_id") };
const unknown = {
  kind: "rejection",
  code: "PRODUCT_UNKNOWN",
  message: `There is no product "${ID}". List the product first.`,
};
const asRead = [`product_id = ${ID}`, "version = 4"];

describe("listProduct", () => {
  const input = { productId: ID, title: "Lamp", priceCents: 1250, stock: 5, supplierCostCents: 700 };

  test("lists a product", async () => {
    const { version: _version, ...row } = lamp;
    expect(await run(listProduct, input, withNothing)).toEqual([
      { event: "ProductListed", change: {}, insert: row },
    ]);
  });

  test("rejects a product that is listed already", async () => {
    expect(await run(listProduct, input, withLamp)).toEqual({
      kind: "rejection",
      code: "PRODUCT_EXISTS",
      message: `Product "${ID}" is listed already. Use another id.`,
    });
  });

  test.each([{ priceCents: -1 }, { priceCents: 12.5 }, { stock: -1 }, { title: "" }])(
    "does not take %j",
    (wrong) => {
      expect(listProduct?.input().safeParse({ ...input, ...wrong }).success).toBe(false);
    },
  );
});

describe("repriceProduct", () => {
  test("tells the price before and after, on the version that was read", async () => {
    expect(await run(repriceProduct, { productId: ID, priceCents: 1500 }, withLamp)).toEqual([
      {
        event: "ProductRepriced",
        change: { fromCents: 1250, toCents: 1500 },
        update: { price_cents: 1500 },
        where: asRead,
      },
    ]);
  });

  test("changes nothing when the price is the same", async () => {
    expect(await run(repriceProduct, { productId: ID, priceCents: 1250 }, withLamp)).toEqual([]);
  });

  test("rejects a product that is not known", async () => {
    expect(await run(repriceProduct, { productId: ID, priceCents: 1 }, withNothing)).toEqual(unknown);
  });
});

describe("withdrawProduct", () => {
  test("removes the product as it was read", async () => {
    expect(await run(withdrawProduct, { productId: ID }, withLamp)).toEqual([
      { event: "ProductWithdrawn", change: {}, delete: true, where: asRead },
    ]);
  });

  test("rejects a product that is not known", async () => {
    expect(await run(withdrawProduct, { productId: ID }, withNothing)).toEqual(unknown);
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
    expect(await react(domain.subscriptions.orders, placed(2), withLamp)).toEqual([
      {
        event: "ProductStockTaken",
        change: { orderId: ORDER_ID, quantity: 2 },
        update: { stock: 3 },
        where: asRead,
      },
    ]);
  });

  test("takes no more than there is", async () => {
    expect(await react(domain.subscriptions.orders, placed(9), withLamp)).toMatchObject([
      { change: { quantity: 5 }, update: { stock: 0 } },
    ]);
  });

  test("takes nothing from a product that was withdrawn meanwhile", async () => {
    expect(await react(domain.subscriptions.orders, placed(2), withNothing)).toEqual([]);
  });
});
