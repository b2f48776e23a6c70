import { describe, expect, test } from "vitest";
import { inMemory, type Known } from "../../test/support/in-memory-domain";
import { domain } from ".";

const [ORDER_ID = "", CUSTOMER_ID = "", PRODUCT_ID = ""] = [1, 2, 3].map(
  (n) => `${n}a2e4c5d-1111-4222-8333-444455556666`,
);
const order = {
  orderId: ORDER_ID,
  customerId: CUSTOMER_ID,
  productId: PRODUCT_ID,
  quantity: 3,
  totalCents: 3750,
  status: "placed",
  version: 1,
};
const known: Known = {
  customers: { [CUSTOMER_ID]: { name: "Ada", city: "Turin" } },
  products: { [PRODUCT_ID]: { title: "Lamp", priceCents: 1250 } },
};
const unknown = (aggregate: string, id: string) =>
  `There is no ${aggregate} "${id}" here: it never existed, is not known yet, or is gone.`;

describe("placeOrder", () => {
  const input = { orderId: ORDER_ID, customerId: CUSTOMER_ID, productId: PRODUCT_ID, quantity: 3 };

  test("prices an order from this domain's own copy of the product", async () => {
    const noted = { ...input, internalNote: "gift" };
    expect(await inMemory(domain, known).run("placeOrder", noted)).toEqual([
      {
        event: "OrderPlaced",
        change: { productId: PRODUCT_ID, quantity: 3 },
        create: { ...noted, totalCents: 3750, status: "placed" },
      },
    ]);
  });

  test("rejects an order that is placed already", async () => {
    expect(await inMemory(domain, { ...known, orders: [order] }).run("placeOrder", input)).toMatchObject({
      outcome: "rejected",
      code: "ORDER_EXISTS",
      message: `The orders.Order "${ORDER_ID}" exists. Use another id.`,
    });
  });

  test("rejects a customer who is not known here, as a value and not as an error", async () => {
    expect(await inMemory(domain, { ...known, customers: {} }).run("placeOrder", input)).toMatchObject({
      outcome: "rejected",
      code: "CUSTOMER_UNKNOWN",
      message: unknown("customers.Customer", CUSTOMER_ID),
    });
  });

  test("rejects a product that is not known here", async () => {
    expect(await inMemory(domain, { ...known, products: {} }).run("placeOrder", input)).toMatchObject({
      outcome: "rejected",
      code: "PRODUCT_UNKNOWN",
      message: unknown("catalog.Product", PRODUCT_ID),
    });
  });

  test.each([{ quantity: 0 }, { quantity: 1001 }, { quantity: 1.5 }, { orderId: "1" }])(
    "refuses %j",
    async (wrong) => {
      expect(await inMemory(domain, known).run("placeOrder", { ...input, ...wrong })).toMatchObject({
        outcome: "invalid",
        issues: [{ path: Object.keys(wrong)[0] }],
      });
    },
  );
});

describe("cancelOrder", () => {
  const cancelled = (...orders: Record<string, unknown>[]) =>
    inMemory(domain, { orders }).run("cancelOrder", {
      orderId: ORDER_ID,
      reason: "too late",
    });

  test("cancels an order that is placed", async () => {
    expect(await cancelled(order)).toEqual([
      { event: "OrderCancelled", change: { reason: "too late" }, update: { status: "cancelled" }, of: 1 },
    ]);
  });

  test("changes nothing when the order is cancelled already", async () => {
    expect(await cancelled({ ...order, status: "cancelled" })).toEqual([]);
  });

  test("rejects an order that is shipped", async () => {
    expect(await cancelled({ ...order, status: "shipped" })).toMatchObject({
      outcome: "rejected",
      code: "ORDER_SHIPPED",
      message: `Order "${ORDER_ID}" is shipped and cannot be cancelled.`,
    });
  });

  test("rejects an order that is not known", async () => {
    expect(await cancelled()).toMatchObject({
      outcome: "rejected",
      code: "ORDER_UNKNOWN",
      message: unknown("orders.Order", ORDER_ID),
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
  const reacts = (...orders: Record<string, unknown>[]) =>
    inMemory(domain, { orders }).react("dispatch", dispatched);

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
  const { projected } = inMemory(domain);
  const customer = { customerId: CUSTOMER_ID, name: "Ada", email: "ada@example.com", city: "Turin" };
  const product = { productId: PRODUCT_ID, title: "Lamp", priceCents: 1250, stock: 5 };
  expect(projected("customers", customer)).toEqual({ name: "Ada", city: "Turin" });
  expect(projected("products", product)).toEqual({ title: "Lamp", priceCents: 1250 });
});
