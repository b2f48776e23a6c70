import { describe, expect, test } from "vitest";
import { effects } from "../dist/scenario/effects.js";
import {
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
} from "../test/support/verdict/shop.js";
import { broken, type Commit, type World } from "../test/support/verdict/world.js";

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
  expect(broken(world, effects)).toEqual([]);
});

test("stock is not taken of a product that was away at that time and is back", () => {
  const world = shop();
  world.command("orders.placeOrder", [order("order-9", "ada", "lamp", 2)]);
  world.react("shipping.placed", world.event("OrderPlaced"), [shipment("order-9", "ada")]);
  world.command("catalog.withdrawProduct", [gone("catalog.Product", "lamp", "ProductWithdrawn")]);
  world.react("catalog.orders", world.event("OrderPlaced"));
  world.command("catalog.listProduct", [product("lamp", 4)]);
  expect(broken(world, effects)).toEqual([]);
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
    ["a redirection to another city", (world) => relocated(world, [redirection("order-3", "Nowhere")])],
    [
      "a redirection of a dispatched shipment",
      (world) => relocated(world, [redirection("order-1", "Malmo")]),
    ],
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
      "more stock taken than reported",
      (world) => placed(world, { catalog: [stockTaken("lamp", "order-9", 2, 1)] }),
    ],
    [
      "less stock taken than was ordered",
      (world) => placed(world, { catalog: [stockTaken("lamp", "order-9", 1, 4)] }),
    ],
    ["stock of another product", (world) => placed(world, { catalog: [stockTaken("rug", "order-9", 1, 0)] })],
    ["stock for another order", (world) => placed(world, { catalog: [stockTaken("lamp", "order-8", 2, 3)] })],
  ])("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world, effects)).toEqual(["REACTION_ONCE"]);
  });
});
