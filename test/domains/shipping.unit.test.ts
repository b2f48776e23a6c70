import { describe, expect, test } from "vitest";
import { domain } from "../../dist/domains/shipping/index.js";
import { items, projection, react, run } from "../support/handles";

const [ORDER_ID = "", CUSTOMER_ID = "", OTHER_ID = ""] = [1, 2, 3].map(
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
const customers = projection({ [CUSTOMER_ID]: { name: "Ada", city: "Rome" } });

describe("dispatchShipment", () => {
  const { dispatchShipment } = domain.commands;
  const input = { shipmentId: ORDER_ID };
  const orders = projection({ [ORDER_ID]: { totalCents: 3750, status: "placed" } });
  const handles = { shipments: items("shipmentId", shipment), customers, orders };

  test("sends the shipment to the city where the customer lives by now", async () => {
    expect(await run(dispatchShipment, input, handles)).toEqual([
      {
        event: "ShipmentDispatched",
        change: { orderId: ORDER_ID, city: "Rome" },
        update: { status: "dispatched", city: "Rome" },
        of: 2,
      },
    ]);
  });

  test("changes nothing when the shipment is on the way already", async () => {
    const shipments = items("shipmentId", { ...shipment, status: "dispatched" });
    expect(await run(dispatchShipment, input, { ...handles, shipments })).toEqual([]);
  });

  test("rejects a shipment that is not known", async () => {
    expect(await run(dispatchShipment, input, { ...handles, shipments: items("shipmentId") })).toEqual({
      kind: "rejection",
      code: "SHIPMENT_UNKNOWN",
      message: `There is no shipment "${ORDER_ID}" (yet).`,
    });
  });

  test("rejects a shipment whose customer is not known here", async () => {
    expect(await run(dispatchShipment, input, { ...handles, customers: projection() })).toEqual({
      kind: "rejection",
      code: "CUSTOMER_UNKNOWN",
      message: `Customer "${CUSTOMER_ID}" is not known to shipping (yet, or any more).`,
    });
  });

  test("rejects a shipment whose order is cancelled, or not known here", async () => {
    const cancelled = projection({ [ORDER_ID]: { totalCents: 3750, status: "cancelled" } });
    expect(await run(dispatchShipment, input, { ...handles, orders: cancelled })).toEqual({
      kind: "rejection",
      code: "ORDER_NOT_PLACED",
      message: `Order "${ORDER_ID}" is cancelled and is not dispatched.`,
    });
    expect(await run(dispatchShipment, input, { ...handles, orders: projection() })).toMatchObject({
      message: `Order "${ORDER_ID}" is unknown and is not dispatched.`,
    });
  });
});

describe("A placed order", () => {
  const state = { orderId: ORDER_ID, customerId: CUSTOMER_ID };
  const placed = { type: "OrderPlaced", aggregateId: ORDER_ID, change: {}, state };
  const { placed: subscription } = domain.subscriptions;
  const none = items("shipmentId");

  test("gets a shipment to the city that shipping knows of; what the carrier is paid stays private", async () => {
    expect(await react(subscription, placed, { shipments: none, customers })).toEqual([
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
    expect(await react(subscription, placed, { shipments: none, customers: projection() })).toMatchObject([
      { create: { city: null } },
    ]);
  });

  test("gets one shipment, and none when the order is gone", async () => {
    const shipments = items("shipmentId", shipment);
    expect(await react(subscription, placed, { shipments, customers })).toEqual([]);
    expect(await react(subscription, { ...placed, state: null }, { shipments: none, customers })).toEqual([]);
  });
});

describe("A relocated customer", () => {
  const relocated = {
    type: "CustomerRelocated",
    aggregateId: CUSTOMER_ID,
    change: { from: "Turin", to: "Rome" },
    state: null,
  };

  test("takes the pending shipments along, and no others", async () => {
    const shipments = items(
      "shipmentId",
      shipment,
      { ...shipment, shipmentId: "nowhere", city: null, version: 5 },
      { ...shipment, shipmentId: "there", city: "Rome" },
      { ...shipment, shipmentId: "gone", status: "dispatched" },
      { ...shipment, shipmentId: "another's", customerId: OTHER_ID },
    );
    expect(await react(domain.subscriptions.relocations, relocated, { shipments })).toEqual([
      { event: "ShipmentRedirected", change: { from: "Turin", to: "Rome" }, update: { city: "Rome" }, of: 2 },
      { event: "ShipmentRedirected", change: { from: null, to: "Rome" }, update: { city: "Rome" }, of: 5 },
    ]);
  });

  // What is beyond them goes to the right city all the same: dispatchShipment asks where the customer lives by then.
  test("takes along as many as go into one transaction with their events", async () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ ...shipment, shipmentId: `s${index}` }));
    const shipments = items("shipmentId", ...many);
    expect(await react(domain.subscriptions.relocations, relocated, { shipments })).toHaveLength(49);
  });

  test("has no shipments to take along", async () => {
    expect(
      await react(domain.subscriptions.relocations, relocated, { shipments: items("shipmentId") }),
    ).toEqual([]);
  });
});

test("Shipping keeps of customers and orders what it ships by, and nothing else", () => {
  const select = (name: string, state: object) => {
    const subscription = domain.subscriptions[name];
    return subscription?.kind === "project" ? subscription.select(state as never) : undefined;
  };
  const customer = { customerId: CUSTOMER_ID, name: "Ada", email: "ada@example.com", city: "Turin" };
  const order = {
    orderId: ORDER_ID,
    customerId: CUSTOMER_ID,
    quantity: 3,
    totalCents: 3750,
    status: "placed",
  };
  expect(select("customers", customer)).toEqual({ name: "Ada", city: "Turin" });
  expect(select("orders", order)).toEqual({ totalCents: 3750, status: "placed" });
});
