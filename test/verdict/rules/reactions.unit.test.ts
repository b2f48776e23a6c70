import { describe, expect, test } from "vitest";
import {
  customer,
  order,
  redirection,
  relocation,
  shipment,
  shop,
  stockTaken,
} from "../../support/verdict/shop.js";
import { broken, type Commit, type World } from "../../support/verdict/world.js";

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

describe("REACTION_ONCE is broken by", () => {
  test.each<[string, (world: World) => void]>([
    [
      "an effect that happened twice on one aggregate",
      (world) => relocated(world, [redirection("order-3", "Malmo"), redirection("order-3", "Malmo")]),
    ],
    [
      "stock that is taken twice",
      (world) =>
        placed(world, {
          catalog: [stockTaken("lamp", "order-9", 2, 3), stockTaken("lamp", "order-9", 2, 1)],
        }),
    ],
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

  test("an event that was processed only after rows were free again that it does not concern", () => {
    const world = shop();
    const { id } = world.event("OrderPlaced", "order-1");
    const locked = { consumer: "catalog.orders", events: [id] };
    world.journal.locked = [{ ...locked, until: "2031-01-01T00:00:00.000Z" }];
    expect(broken(world)).toEqual([]);
    world.journal.locked = [{ ...locked, until: "2029-01-01T00:00:00.000Z" }];
    expect(broken(world)).toEqual(["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"]);
  });
});
