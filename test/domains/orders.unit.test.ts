import { describe, expect, test } from "vitest";
import { domain } from "../../dist/domains/orders/index.js";
import { items, projection, react, run } from "../support/handles";

const [ORDER_ID = "", CUSTOMER_ID = "", PRODUCT_ID = ""] = [1, 2, 3].map(
  (n) => `${n}a2e4c5d-1111-4222-8333-444455556666`,
);
const { placeOrder, cancelOrder } = domain.commands;
const order = {
  orderId: ORDER_ID,
  customerId: CUSTOMER_ID,
  productId: PRODUCT_ID,
  quantity: 3,
  totalCents: 3750,
  status: "placed",
  version: 1,
};
const handles = {
  orders: items("orderId"),
  customers: projection({ [CUSTOMER_ID]: { name: "Ada", city: "Turin" } }),
  products: projection({ [PRODUCT_ID]: { title: "Lamp", priceCents: 1250 } }),
};

describe("placeOrder", () => {
  const input = { orderId: ORDER_ID, customerId: CUSTOMER_ID, productId: PRODUCT_ID, quantity: 3 };

  test("prices an order from this domain's own copy of the product", async () => {
    const noted = { ...input, internalNote: "gift" };
    expect(await run(placeOrder, noted, handles)).toEqual([
      {
        event: "OrderPlaced",
        change: { productId: PRODUCT_ID, quantity: 3 },
        create: { ...noted, totalCents: 3750, status: "placed" },
      },
    ]);
  });

  test("rejects an order that is placed already, whatever else is known", async () => {
    const known = { orders: items("orderId", order), customers: projection(), products: projection() };
    expect(await run(placeOrder, input, known)).toEqual({
      kind: "rejection",
      code: "ORDER_EXISTS",
      message: `Order "${ORDER_ID}" is placed already. Use another id.`,
    });
  });

  test("rejects a customer who is not known here, as a value and not as an error", async () => {
    expect(await run(placeOrder, input, { ...handles, customers: projection() })).toEqual({
      kind: "rejection",
      code: "CUSTOMER_UNKNOWN",
      message: `Customer "${CUSTOMER_ID}" is not known to orders (yet, or any more).`,
    });
  });

  test("rejects a product that is not known here", async () => {
    expect(await run(placeOrder, input, { ...handles, products: projection() })).toEqual({
      kind: "rejection",
      code: "PRODUCT_UNKNOWN",
      message: `Product "${PRODUCT_ID}" is not known to orders (yet, or any more).`,
    });
  });

  test.each([{ quantity: 0 }, { quantity: 1001 }, { quantity: 1.5 }, { orderId: "1" }])(
    "does not take %j",
    (wrong) => {
      expect(placeOrder?.input().safeParse({ ...input, ...wrong }).success).toBe(false);
    },
  );
});

describe("cancelOrder", () => {
  const input = { orderId: ORDER_ID, reason: "too late" };
  const given = (status: string) => ({ orders: items("orderId", { ...order, status }) });

  test("cancels an order that is placed", async () => {
    expect(await run(cancelOrder, input, given("placed"))).toEqual([
      { event: "OrderCancelled", change: { reason: "too late" }, update: { status: "cancelled" }, of: 1 },
    ]);
  });

  test("changes nothing when the order is cancelled already", async () => {
    expect(await run(cancelOrder, input, given("cancelled"))).toEqual([]);
  });

  test("rejects an order that is shipped", async () => {
    expect(await run(cancelOrder, input, given("shipped"))).toEqual({
      kind: "rejection",
      code: "ORDER_SHIPPED",
      message: `Order "${ORDER_ID}" is shipped and cannot be cancelled.`,
    });
  });

  test("rejects an order that is not known", async () => {
    expect(await run(cancelOrder, input, { orders: items("orderId") })).toEqual({
      kind: "rejection",
      code: "ORDER_UNKNOWN",
      message: `There is no order "${ORDER_ID}".`,
    });
  });
});

describe("A dispatched shipment", () => {
  const dispatched = {
    type: "ShipmentDispatched",
    aggregateId: "shipment-1",
    change: { orderId: ORDER_ID, city: "Turin" },
    state: null,
  };
  const reacts = (...given: object[]) =>
    react(domain.subscriptions.dispatch, dispatched, {
      orders: items("orderId", ...(given as (typeof order)[])),
    });

  test("ships its order", async () => {
    expect(await reacts(order)).toEqual([
      { event: "OrderShipped", change: { shipmentId: "shipment-1" }, update: { status: "shipped" }, of: 1 },
    ]);
  });

  test("does not ship an order that was cancelled meanwhile, or one that is not known", async () => {
    expect(await reacts({ ...order, status: "cancelled" })).toEqual([]);
    expect(await reacts()).toEqual([]);
  });
});

test("Orders keeps of customers and products what it prices and shows, and nothing else", () => {
  const select = (name: string, state: object) => {
    const subscription = domain.subscriptions[name];
    return subscription?.kind === "project" ? subscription.select(state as never) : undefined;
  };
  const customer = { customerId: CUSTOMER_ID, name: "Ada", email: "ada@example.com", city: "Turin" };
  const product = { productId: PRODUCT_ID, title: "Lamp", priceCents: 1250, stock: 5 };
  expect(select("customers", customer)).toEqual({ name: "Ada", city: "Turin" });
  expect(select("products", product)).toEqual({ title: "Lamp", priceCents: 1250 });
});
