import { describe, expect, test } from "vitest";
import {
  customer,
  dispatch,
  gone,
  order,
  orderStatus,
  placeOrder,
  product,
  redirection,
  relocation,
  shipment,
  shop,
  stockTaken,
} from "../support/verdict/shop.js";
import { broken, type Commit, type World } from "../support/verdict/world.js";

/** Places an order and gives it to the reactions, which commit these. */
function placed(world: World, reactions: { shipping?: Commit[]; catalog?: Commit[] }): void {
  world.command("orders.placeOrder", [order("order-9", "ada", "lamp", 2)]);
  const event = world.event("OrderPlaced");
  world.react("shipping.placed", event, reactions.shipping ?? [shipment("order-9", "ada")]);
  world.react("catalog.orders", event, reactions.catalog ?? [stockTaken("lamp", "order-9", 2, 3)]);
}

/** Relocates the customer, whose one pending shipment is "order-3", and gives that to the reaction. */
function relocated(world: World, effects: Commit[]): void {
  world.command("customers.relocateCustomer", [relocation("ada", "Malmo")]);
  world.react("shipping.relocations", world.event("CustomerRelocated"), effects);
}

/** Dispatches the shipment of an order and gives that to the reaction. */
function dispatched(world: World, effects: (orderId: string) => Commit[]): void {
  placeOrder(world, "order-9", "lamp", 1);
  world.command("shipping.dispatchShipment", [dispatch("order-9")]);
  world.react("orders.dispatch", world.event("ShipmentDispatched"), effects("order-9"));
}

test("a reaction may redirect some, all or none of the shipments that wait", () => {
  const world = shop();
  placeOrder(world, "order-9", "lamp", 1);
  relocated(world, [redirection("order-3", "Malmo")]);
  world.command("customers.relocateCustomer", [relocation("ada", "Ghent")]);
  world.react("shipping.relocations", world.event("CustomerRelocated"), []);
  expect(broken(world)).toEqual([]);
});

test("stock is not taken of a product that was away at that time and is back", () => {
  const world = shop();
  world.command("orders.placeOrder", [order("order-9", "ada", "lamp", 2)]);
  world.react("shipping.placed", world.event("OrderPlaced"), [shipment("order-9", "ada")]);
  world.command("catalog.withdrawProduct", [gone("catalog.Product", "lamp", "ProductWithdrawn")]);
  world.react("catalog.orders", world.event("OrderPlaced"));
  world.command("catalog.listProduct", [product("lamp", 4)]);
  expect(broken(world)).toEqual([]);
});

describe("REACTION_ONCE is broken by", () => {
  test.each<[string, (world: World) => void]>([
    ["an effect that is missing", (world) => placed(world, { shipping: [] })],
    ["a shipment for another customer", (world) => placed(world, { shipping: [shipment("order-9", "bob")] })],
    ["a shipment of another order", (world) => placed(world, { shipping: [shipment("order-8", "ada")] })],
    [
      "two shipments for one order",
      (world) => placed(world, { shipping: [shipment("order-9", "ada"), shipment("order-8", "ada")] }),
    ],
    [
      "an effect that happened twice on one aggregate",
      (world) => relocated(world, [redirection("order-3", "Malmo"), redirection("order-3", "Malmo")]),
    ],
    ["a redirection to another city", (world) => relocated(world, [redirection("order-3", "Nowhere")])],
    ["a redirection of what is on the way", (world) => relocated(world, [redirection("order-1", "Malmo")])],
    [
      "a redirection of another customer's shipment",
      (world) => {
        world.command("customers.relocateCustomer", [relocation("bob", "Malmo")]);
        world.react("shipping.relocations", world.event("CustomerRelocated"), [
          redirection("order-3", "Malmo"),
        ]);
      },
    ],
    ["an order that is not marked as shipped", (world) => dispatched(world, () => [])],
    [
      "another order that is marked as shipped",
      (world) => dispatched(world, () => [orderStatus("order-3", "OrderShipped", "shipped")]),
    ],
    [
      "a cancelled order that is marked as shipped",
      (world) =>
        dispatched(world, (id) => {
          world.command("orders.cancelOrder", [orderStatus(id, "OrderCancelled", "cancelled")]);
          return [orderStatus(id, "OrderShipped", "shipped")];
        }),
    ],
    ["stock that is not taken", (world) => placed(world, { catalog: [] })],
    [
      "stock that is not taken, of a product that was withdrawn later",
      (world) => {
        placed(world, { catalog: [] });
        world.command("catalog.withdrawProduct", [gone("catalog.Product", "lamp", "ProductWithdrawn")]);
      },
    ],
    [
      "stock that is taken twice",
      (world) =>
        placed(world, {
          catalog: [stockTaken("lamp", "order-9", 2, 3), stockTaken("lamp", "order-9", 2, 1)],
        }),
    ],
    [
      "more stock taken than told",
      (world) => placed(world, { catalog: [stockTaken("lamp", "order-9", 2, 1)] }),
    ],
    [
      "less stock taken than was ordered",
      (world) => placed(world, { catalog: [stockTaken("lamp", "order-9", 1, 4)] }),
    ],
    ["stock of another product", (world) => placed(world, { catalog: [stockTaken("rug", "order-9", 1, 0)] })],
    ["stock for another order", (world) => placed(world, { catalog: [stockTaken("lamp", "order-8", 2, 3)] })],
    [
      "an effect without an inbox record",
      ({ snapshot, event }) => {
        const { id } = event("OrderPlaced", "order-1");
        snapshot.inbox = snapshot.inbox.filter(
          ({ consumer, messageId }) => consumer !== "catalog.orders" || messageId !== id,
        );
      },
    ],
    [
      "two inbox records of one event",
      ({ snapshot }) => {
        const record = snapshot.inbox.find(({ consumer }) => consumer === "catalog.orders");
        if (record) snapshot.inbox.push(record);
      },
    ],
    [
      "an inbox record of an event that there is none of",
      ({ snapshot }) =>
        snapshot.inbox.push({ consumer: "orders.dispatch", messageId: "none", processedAt: "2030" }),
    ],
    [
      "an inbox record of an event that the consumer does not react to",
      ({ react, event }) => void react("shipping.placed", event("CustomerRegistered")),
    ],
    [
      "an inbox record of a consumer that there is none of",
      ({ react, event }) => void react("shipping.refunds", event("OrderPlaced")),
    ],
    [
      "an event that no reaction to its cause raises",
      ({ commit, event }) =>
        void commit(customer("fay", "CustomerRegistered"), { causationId: event("OrderPlaced").id }),
    ],
    [
      "an inbox record of an event that was refused",
      ({ react, event }) => void react("shipping.relocations", event("CustomerRelocated", "eve")),
    ],
    [
      "an effect of an event that was refused",
      ({ commit, event }) => {
        const cause = { causationId: event("CustomerRelocated", "eve").id };
        commit(redirection("order-3", "Turin"), cause);
      },
    ],
  ])("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world)).toEqual(["REACTION_ONCE"]);
  });
});

describe("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS is broken by", () => {
  test("an event that a reaction never got", () => {
    const world = shop();
    world.command("customers.relocateCustomer", [relocation("bob", "Malmo")]);
    expect(broken(world)).toEqual(["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"]);
  });
});
