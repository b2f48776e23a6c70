import { describe, expect, test } from "vitest";
import { shop } from "../../support/verdict/shop.js";
import { broken, type World } from "../../support/verdict/world.js";

describe("EVERY_EVENT_PUBLISHED is broken by", () => {
  test("an event that was never on the bus", () => {
    const world = shop();
    const { id } = world.event("CustomerRegistered", "dan");
    world.snapshot.bus = world.snapshot.bus.filter((envelope) => (envelope as { id: string }).id !== id);
    expect(broken(world)).toEqual(["EVERY_EVENT_PUBLISHED"]);
  });

  test.each([
    ["source", "catalog"],
    ["type", "CustomerTouched"],
    ["subject", "cid"],
    ["sequence", "2"],
    ["sequence", 1],
    ["correlationid", "another"],
    ["causationid", "another"],
    ["data", { change: {}, state: null }],
    ["data", undefined],
  ])("an event with another %s than in its outbox (%j)", (field, value) => {
    const world = shop();
    world.envelope(world.event("CustomerRegistered", "dan"))[field] = value;
    expect(broken(world)).toEqual(["EVERY_EVENT_PUBLISHED"]);
  });

  test("an event that comes after a later one of its aggregate", () => {
    const world = shop();
    const { bus } = world.snapshot;
    const relocated = world.envelope(world.event("CustomerRelocated", "ada"));
    const order = [relocated, ...bus.filter((envelope) => envelope !== relocated)];
    bus.splice(0, bus.length, ...order);
    expect(broken(world)).toEqual(["EVERY_EVENT_PUBLISHED"]);
  });

  test("an event that is wrong once and right once", () => {
    const world = shop();
    const envelope = world.envelope(world.event("CustomerRegistered", "dan"));
    world.snapshot.bus.push({ ...envelope, sequence: "9" });
    expect(broken(world)).toEqual(["EVERY_EVENT_PUBLISHED"]);
  });

  test.each([{ id: "unknown", type: "CustomerRegistered" }, { type: "CustomerRegistered" }, null, "text"])(
    "something on the bus that is in no outbox: %j",
    (envelope) => {
      const world = shop();
      world.snapshot.bus.push(envelope);
      expect(broken(world)).toEqual(["EVERY_EVENT_PUBLISHED"]);
    },
  );
});

test("an event may be repeated after later ones of its aggregate", () => {
  const world = shop();
  world.snapshot.bus.push(structuredClone(world.envelope(world.event("CustomerRegistered", "ada"))));
  expect(broken(world)).toEqual([]);
});

test("a projection that refused all events of a source has no row of it", () => {
  const world = shop();
  refuseFirst(world);
  remove(world.snapshot, "shipping-customers-projection", "eve");
  expect(broken(world)).toEqual([]);
});

type Projection = World["snapshot"]["projections"][string];
const TABLE = "orders-customers-projection";

describe.each<[string, [string, (world: World) => void][]]>([
  [
    "PROJECTION_EQUALS_SOURCE",
    [
      [
        "a row of an older version",
        ({ projected }) => {
          projected(TABLE, "ada").version = 1;
        },
      ],
      [
        "a row of a newer version than the source",
        ({ projected }) => {
          projected(TABLE, "ada").version = 3;
        },
      ],
      [
        "a field with another value",
        ({ projected }) => {
          projected("shipping-orders-projection", "order-2").fields = { totalCents: 1000, status: "placed" };
        },
      ],
      [
        "a field that is missing",
        ({ projected }) => {
          projected(TABLE, "ada").fields = { name: "Ada" };
        },
      ],
      [
        "a field too many",
        ({ projected }) => {
          projected(TABLE, "ada").fields = { name: "Ada", city: "Lyon", email: "ada@example.org" };
        },
      ],
      [
        "a tombstone of an existing aggregate",
        ({ projected }) => {
          delete projected(TABLE, "ada").fields;
        },
      ],
      [
        "a row without a source",
        ({ snapshot }) =>
          rowsOf(snapshot, "orders-products-projection").push({ aggregateId: "x", version: 1 }),
      ],
      ["a row of a source of which every event was refused", refuseFirst],
      [
        "two rows of one source",
        ({ snapshot, projected }) => rowsOf(snapshot, TABLE).push({ ...projected(TABLE, "ada"), version: 1 }),
      ],
      [
        "a row with an event that was refused",
        ({ projected }) => {
          Object.assign(projected("shipping-customers-projection", "eve"), projected(TABLE, "eve"));
        },
      ],
    ],
  ],
  [
    "GONE_IN_PROJECTIONS",
    [
      [
        "fields of a removed aggregate",
        ({ projected }) => {
          projected(TABLE, "cid").fields = { name: "Ada", city: "Graz" };
        },
      ],
      [
        "a tombstone of an older version",
        ({ projected }) => {
          projected("orders-products-projection", "sofa").version = 1;
        },
      ],
    ],
  ],
  [
    "EVERY_EVENT_REACHES_ITS_SUBSCRIBERS",
    [
      ["a row that is missing", ({ snapshot }) => remove(snapshot, TABLE, "ada")],
      ["a tombstone that is missing", ({ snapshot }) => remove(snapshot, TABLE, "cid")],
      [
        "a projection table that is missing",
        ({ snapshot }) => {
          delete snapshot.projections["orders-products-projection"];
        },
      ],
    ],
  ],
])("%s is broken by", (guarantee, doctors) => {
  test.each(doctors)("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world)).toEqual([guarantee]);
  });
});

/** Lets the one event be refused that the projection had of a customer. */
function refuseFirst({ snapshot, journal, event, envelope }: World): void {
  const first = event("CustomerRegistered", "eve");
  const subscription = "shipping-on-customers";
  journal.poison.push({ kind: "refused", eventId: first.id, subscription });
  const body = JSON.stringify({ detail: envelope(first) });
  snapshot.deadLetters.push({ queue: `${subscription}-dlq`, body });
}

function rowsOf(snapshot: World["snapshot"], table: string): Projection {
  return snapshot.projections[table] ?? [];
}

function remove(snapshot: World["snapshot"], table: string, id: string): void {
  snapshot.projections[table] = rowsOf(snapshot, table).filter(({ aggregateId }) => aggregateId !== id);
}
