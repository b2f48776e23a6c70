import { describe, expect, test } from "vitest";
import { inMemory, type Known } from "../../test/support/in-memory-domain";
import { domain } from ".";

const [ORDER_ID = "", CUSTOMER_ID = "", PRODUCT_ID = "", OTHER_ID = ""] = [1, 2, 3, 4].map(
  (n) => `${n}a2e4c5d-1111-4222-8333-444455556666`,
);
const shipment = {
  shipmentId: ORDER_ID,
  customerId: CUSTOMER_ID,
  city: "Turin" as string | null,
  status: "pending",
  carrierCostCents: 450,
  version: 2,
};
const customers = { [CUSTOMER_ID]: { name: "Ada", city: "Rome" } };

describe("dispatchShipment", () => {
  const orders = { [ORDER_ID]: { totalCents: 3750, status: "placed" } };
  const known: Known = { shipments: [shipment], customers, orders };
  const dispatched = (changed: Known = {}) =>
    inMemory(domain, { ...known, ...changed }).run("dispatchShipment", { shipmentId: ORDER_ID });

  test("sends the shipment to the city where the customer lives by now", async () => {
    expect(await dispatched()).toEqual([
      {
        event: "ShipmentDispatched",
        change: { orderId: ORDER_ID, city: "Rome" },
        update: { status: "dispatched", city: "Rome" },
        of: 2,
      },
    ]);
  });

  test("changes nothing when the shipment is on the way already", async () => {
    expect(await dispatched({ shipments: [{ ...shipment, status: "dispatched" }] })).toEqual([]);
  });

  test("rejects a shipment that is not known", async () => {
    expect(await dispatched({ shipments: [] })).toMatchObject({
      outcome: "rejected",
      code: "SHIPMENT_UNKNOWN",
      message: `There is no shipping.Shipment "${ORDER_ID}" here: it never existed, is not known yet, or is gone.`,
    });
  });

  test("rejects a shipment whose customer is not known here", async () => {
    expect(await dispatched({ customers: {} })).toMatchObject({
      outcome: "rejected",
      code: "CUSTOMER_UNKNOWN",
      message: `There is no customers.Customer "${CUSTOMER_ID}" here: it never existed, is not known yet, or is gone.`,
    });
  });

  test("rejects a shipment whose order is cancelled, or not known here", async () => {
    const cancelled = { [ORDER_ID]: { totalCents: 3750, status: "cancelled" } };
    expect(await dispatched({ orders: cancelled })).toMatchObject({
      outcome: "rejected",
      code: "ORDER_NOT_PLACED",
      message: `Order "${ORDER_ID}" is cancelled and is not dispatched.`,
    });
    expect(await dispatched({ orders: {} })).toMatchObject({
      message: `Order "${ORDER_ID}" is unknown and is not dispatched.`,
    });
  });
});

describe("A placed order", () => {
  const placed = {
    type: "OrderPlaced",
    aggregateId: ORDER_ID,
    change: { productId: PRODUCT_ID, quantity: 3 },
    state: {
      orderId: ORDER_ID,
      customerId: CUSTOMER_ID,
      productId: PRODUCT_ID,
      quantity: 3,
      totalCents: 3750,
      status: "placed",
    },
  };

  test("gets a shipment to the city that shipping knows of; what the carrier is paid stays private", async () => {
    expect(await inMemory(domain, { customers }).react("placed", placed)).toEqual([
      {
        event: "ShipmentPrepared",
        change: { orderId: ORDER_ID },
        create: {
          shipmentId: ORDER_ID,
          customerId: CUSTOMER_ID,
          city: "Rome",
          status: "pending",
          carrierCostCents: 450,
        },
      },
    ]);
  });

  test("gets a shipment without a city as long as the customer is not known", async () => {
    expect(await inMemory(domain).react("placed", placed)).toMatchObject([{ create: { city: null } }]);
  });

  test("gets one shipment, and none when the order is gone", async () => {
    expect(await inMemory(domain, { shipments: [shipment], customers }).react("placed", placed)).toEqual([]);
    expect(await inMemory(domain, { customers }).react("placed", { ...placed, state: null })).toEqual([]);
  });
});

describe("A relocated customer", () => {
  const relocated = {
    type: "CustomerRelocated",
    aggregateId: CUSTOMER_ID,
    change: { from: "Turin", to: "Rome" },
    state: null,
  };
  const uuid = (number: number) => `5a2e4c5d-1111-4222-8333-${String(number).padStart(12, "0")}`;
  const reacts = (shipments: Record<string, unknown>[]) =>
    inMemory(domain, { shipments }).react("relocations", relocated);

  test("takes the pending shipments along, and no others", async () => {
    const shipments = [
      shipment,
      { ...shipment, shipmentId: uuid(1), city: null, version: 5 },
      { ...shipment, shipmentId: uuid(2), city: "Rome" },
      { ...shipment, shipmentId: uuid(3), status: "dispatched" },
      { ...shipment, shipmentId: uuid(4), customerId: OTHER_ID },
    ];
    expect(await reacts(shipments)).toEqual([
      { event: "ShipmentRedirected", change: { from: "Turin", to: "Rome" }, update: { city: "Rome" }, of: 2 },
      { event: "ShipmentRedirected", change: { from: null, to: "Rome" }, update: { city: "Rome" }, of: 5 },
    ]);
  });

  // Those beyond them are sent to the right city, too: dispatchShipment looks up where the customer lives by
  // then.
  test("takes along as many as fit into one transaction with their events", async () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ ...shipment, shipmentId: uuid(index) }));
    expect(await reacts(many)).toHaveLength(49);
  });

  test("has no shipments to take along", async () => {
    expect(await reacts([])).toEqual([]);
  });
});

test("Shipping keeps of customers and orders what it ships by, and nothing else", () => {
  const { projected } = inMemory(domain);
  const customer = { customerId: CUSTOMER_ID, name: "Ada", email: "ada@example.com", city: "Turin" };
  const order = {
    orderId: ORDER_ID,
    customerId: CUSTOMER_ID,
    productId: PRODUCT_ID,
    quantity: 3,
    totalCents: 3750,
    status: "placed",
  };
  expect(projected("customers", customer)).toEqual({ name: "Ada", city: "Turin" });
  expect(projected("orders", order)).toEqual({ totalCents: 3750, status: "placed" });
});
