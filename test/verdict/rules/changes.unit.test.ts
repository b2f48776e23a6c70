import { describe, expect, test } from "vitest";
import { customer, gone, product, shop } from "../../support/verdict/shop.js";
import { broken, type World } from "../../support/verdict/world.js";

/** Takes an event out of the outbox and off the bus. */
function lose({ snapshot, event }: World, type: string, id: string): void {
  const lost = event(type, id);
  snapshot.outbox = snapshot.outbox.filter((one) => one !== lost);
  snapshot.bus = snapshot.bus.filter((envelope) => (envelope as { id: string }).id !== lost.id);
}

/** Changes the newest event of an aggregate in the outbox and on the bus. */
function rewrite(world: World, id: string, change: (data: { state?: unknown }) => void): void {
  const event = world.snapshot.outbox.findLast(({ aggregateId }) => aggregateId === id);
  if (!event) throw new Error(`There is no event of "${id}".`);
  const envelope = world.envelope(event);
  change(event.data);
  envelope["data"] = structuredClone(event.data);
}

describe("ONE_EVENT_PER_CHANGE is broken by", () => {
  test.each<[string, (world: World) => void]>([
    ["a change without an event", (world) => lose(world, "ProductListed", "vase")],
    [
      "a deletion without an event",
      (world) => {
        world.sql([
          gone("customers.Customer", "dan", "CustomerClosed"),
          customer("fay", "CustomerRegistered"),
        ]);
        lose(world, "CustomerClosed", "dan");
      },
    ],
    [
      "two events of one change",
      ({ snapshot, event, envelope }) => {
        const first = event("CustomerRegistered", "dan");
        snapshot.outbox.push({ ...first, id: "second" });
        snapshot.bus.push({ ...envelope(first), id: "second" });
      },
    ],
    [
      "an event without a change",
      ({ snapshot, event, envelope }) => {
        const first = event("CustomerRegistered", "dan");
        snapshot.outbox.push({ ...first, id: "second", version: 2 });
        snapshot.bus.push({ ...envelope(first), id: "second", sequence: "2" });
      },
    ],
    [
      "an event of a type that its contract does not have",
      ({ event, envelope }) => {
        const first = event("CustomerRegistered", "dan");
        envelope(first)["type"] = first.type = "CustomerTouched";
      },
    ],
    [
      "an event of an aggregate that no domain has",
      ({ snapshot, event, envelope }) => {
        const first = event("CustomerRegistered", "dan");
        snapshot.outbox.push({ ...first, id: "second", aggregate: "customer.Customer" });
        snapshot.bus.push({ ...envelope(first), id: "second", source: "customer" });
      },
    ],
    [
      "an event in another domain's outbox",
      ({ event }) => {
        event("OrderPlaced", "order-1").outbox = "shipping-outbox";
      },
    ],
    [
      "two events with one id",
      (world) => {
        const [first, second] = world.sql([
          customer("fay", "CustomerRegistered"),
          customer("gus", "CustomerRegistered"),
        ]);
        if (first && second) second.id = first.id;
        world.snapshot.bus.pop();
      },
    ],
    [
      "an event with another state than the row",
      (world) =>
        rewrite(world, "dan", (data) => {
          data.state = { ...(data.state as object), city: "Nowhere" };
        }),
    ],
    [
      "an event with a part of the state",
      (world) =>
        rewrite(world, "dan", (data) => {
          data.state = { customerId: "dan" };
        }),
    ],
    [
      "an event with more than the state",
      (world) =>
        rewrite(world, "dan", (data) => {
          data.state = { ...(data.state as object), version: 1 };
        }),
    ],
    [
      "an event with a state of a removed aggregate",
      (world) =>
        rewrite(world, "cid", (data) => {
          data.state = { customerId: "cid" };
        }),
    ],
    [
      "an event without a state of an existing aggregate",
      (world) =>
        rewrite(world, "order-1", (data) => {
          data.state = null;
        }),
    ],
    [
      "an event of another transaction than its change",
      ({ event }) => {
        event("CustomerRegistered", "dan").transaction = "17";
      },
    ],
    [
      "an event of an unknown transaction",
      ({ event }) => {
        delete event("CustomerRegistered", "dan").transaction;
      },
    ],
  ])("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world)).toEqual(["ONE_EVENT_PER_CHANGE"]);
  });
});

/** Moves the newest change of an aggregate to another version in all stores. */
function renumber(world: World, id: string, version: number): void {
  const change = world.newest(id);
  const event = world.snapshot.outbox.find(
    (one) => one.aggregateId === id && one.version === change.newVersion,
  );
  if (!event) throw new Error(`There is no event of "${id}".`);
  change.newVersion = version;
  event.version = version;
  world.envelope(event)["sequence"] = String(version);
  const entity = world.entity(id);
  entity.version = version;
  if (change.row) change.row["version"] = version;
  if (entity.row) entity.row["version"] = version;
  for (const rows of Object.values(world.snapshot.projections))
    for (const row of rows) if (row.aggregateId === id) row.version = version;
}

describe("VERSIONS_WITHOUT_GAPS is broken by", () => {
  test.each<[string, (world: World) => void]>([
    ["a version that is left out", (world) => renumber(world, "cid", 3)],
    ["a version that is not raised", (world) => renumber(world, "dan", 0)],
    ["an aggregate that begins with another version than 1", (world) => renumber(world, "dan", 2)],
    ["an aggregate that is created again and starts at version 1", (world) => renumber(world, "bob", 4)],
    [
      "a change of another version than the last one",
      ({ newest }) => {
        newest("order-1").oldVersion = 5;
      },
    ],
    [
      "a deletion of another version than the last one",
      ({ newest }) => {
        newest("cid").oldVersion = 0;
      },
    ],
    [
      "a row that is not what the last change left",
      ({ entity }) => {
        entity("dan").row = { ...entity("dan").row, city: "Nowhere" };
      },
    ],
    [
      "a row of another version than the last change",
      ({ entity }) => {
        entity("dan").version = 7;
      },
    ],
    [
      "a row that is missing",
      ({ snapshot }) => {
        snapshot.entities = snapshot.entities.filter(({ id }) => id !== "dan");
      },
    ],
    [
      "a row that no change led to",
      ({ snapshot }) =>
        snapshot.entities.push({ aggregate: "catalog.Product", id: "x", version: 1, row: {} }),
    ],
    [
      "a row of an aggregate that is gone",
      ({ entity }) => {
        entity("cid").row = { customer_id: "cid" };
      },
    ],
    [
      "a note of a deletion beside a row that lives",
      ({ snapshot }) =>
        snapshot.entities.push({ aggregate: "customers.Customer", id: "bob", version: 2, row: null }),
    ],
    [
      "an aggregate that is gone and whose last version is not kept",
      ({ snapshot }) => {
        snapshot.entities = snapshot.entities.filter(({ id }) => id !== "cid");
      },
    ],
  ])("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world)).toEqual(["VERSIONS_WITHOUT_GAPS"]);
  });
});

test("versions of one id are followed for each aggregate by itself", () => {
  const world = shop();
  world.command("catalog.listProduct", [product("ada", 1)]);
  expect(broken(world)).toEqual([]);
});
