import { describe, expect, test } from "vitest";
import { MARKS, shop, STREAM } from "../../support/verdict/shop.js";
import { broken, type World } from "../../support/verdict/world.js";

const QUARANTINE = "monolith-relay-quarantine";

/** What a relay sends of one record. */
const part = (payload: string, more: object = {}) => ({
  queue: QUARANTINE,
  body: JSON.stringify({
    ...{ stream: STREAM, sequenceNumber: "7", part: 1, parts: 1, payload: base64(payload) },
    ...more,
  }),
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Changes the messages that a test picks by their queue and body. */
function edit({ snapshot }: World, queue: string, edited: (body: string) => string): void {
  for (const message of snapshot.setAside) if (message.queue === queue) message.body = edited(message.body);
}

test("a record that was set aside in parts twice, and once in part only, is whole", () => {
  const world = shop();
  const [first] = world.snapshot.setAside;
  if (first) world.snapshot.setAside.push(first, ...structuredClone(world.snapshot.setAside.slice(0, 2)));
  expect(broken(world)).toEqual([]);
});

test("of a refused event whose content was not noted, the message is enough", () => {
  const world = shop();
  for (const poison of world.journal.poison) if (poison.kind === "refused") delete poison.detail;
  expect(broken(world)).toEqual([]);
});

describe("SET_ASIDE_WITH_PAYLOAD is broken by", () => {
  test.each<[string, (world: World) => void]>([
    [
      "a record that is not in the quarantine",
      ({ snapshot }) => {
        snapshot.setAside = snapshot.setAside.filter(({ queue }) => queue !== QUARANTINE);
      },
    ],
    [
      "a record without one of its parts",
      ({ snapshot }) => {
        snapshot.setAside = snapshot.setAside.filter(({ body }) => !body.includes('"part":1'));
      },
    ],
    [
      "a record with other bytes",
      (world) => edit(world, QUARANTINE, (body) => body.replace(base64("{ no "), base64("{ no!"))),
    ],
    [
      "a record of another stream",
      (world) => edit(world, QUARANTINE, (body) => body.replace(STREAM, "arn:aws:kinesis:x")),
    ],
    [
      "parts of one number that differ",
      ({ snapshot }) => snapshot.setAside.push(part("xx", { sequenceNumber: "1", parts: 2 })),
    ],
    [
      "one record where two were injected",
      ({ journal }) => {
        const [poison] = journal.poison;
        if (poison) journal.poison.push(poison);
      },
    ],
    ["a record that nobody injected", ({ snapshot }) => snapshot.setAside.push(part("a good record"))],
    [
      "a message in a quarantine that is none of a relay's",
      ({ snapshot }) => snapshot.setAside.push({ queue: QUARANTINE, body: "text" }),
    ],
    [
      "a refused event that is not in its dead-letter queue",
      ({ snapshot }) => {
        snapshot.setAside = snapshot.setAside.filter(({ body }) => !body.includes('"odd"'));
      },
    ],
    [
      "a refused event without its content",
      (world) =>
        edit(world, "shipping-on-relocations-dlq", (body) => body.replace('"specversion":"1.0",', "")),
    ],
    [
      "a refused event of an outbox with other content",
      (world) => edit(world, "shipping-on-customers-dlq", (body) => body.replace('"to":"Turin"', '"to":"?"')),
    ],
  ])("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world)).toEqual(["SET_ASIDE_WITH_PAYLOAD"]);
  });
});

describe("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS is broken by", () => {
  test.each([
    ["an event in a dead-letter queue", "orders-on-customers-dlq", '{"detail":{"id":"odd"}}'],
    ["an event in a target's dead-letter queue", "orders-on-customers-target-dlq", '{"detail":{"id":"odd"}}'],
    ["something that is no event in a dead-letter queue", "orders-on-customers-dlq", "text"],
  ])("%s", (_title, queue, body) => {
    const world = shop();
    world.snapshot.setAside.push({ queue, body });
    expect(broken(world)).toEqual(["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"]);
  });
});

describe("NOTHING_PRIVATE_LEAVES is broken by", () => {
  const [secret = ""] = MARKS.customers;
  const [cost = 0] = MARKS.catalog;
  test.each<[string, (world: World) => void]>([
    ...[
      ["a private text in what an event says", { note: `so ${secret} it is` }],
      ["a private number in what an event says", { costs: [{ cents: cost }] }],
      ["a private number as a text", { cents: String(cost) }],
      ["the name of a private column", { carrierCostCents: 1 }],
      ["private JSON in a text", { note: JSON.stringify({ supplier_cost_cents: 1 }) }],
    ].map(([title, change]): [string, (world: World) => void] => [
      title as string,
      (world) => {
        const event = world.event("CustomerRegistered", "dan");
        event.data.change = change;
        world.envelope(event)["data"] = structuredClone(event.data);
      },
    ]),
    [
      "a private field in the state",
      (world) => {
        const event = world.event("CustomerRegistered", "dan");
        event.data.state = { ...(event.data.state as object), credit_note: null };
        world.envelope(event)["data"] = structuredClone(event.data);
      },
    ],
    [
      "a private text on the bus",
      ({ event, envelope }) => {
        envelope(event("OrderPlaced"))["comment"] = secret;
      },
    ],
    [
      "a private field in a projection",
      ({ projected }) => {
        const row = projected("shipping-orders-projection", "order-1");
        row.fields = { ...row.fields, internalNote: "?" };
      },
    ],
    [
      "a private text in an inbox",
      ({ snapshot }) =>
        snapshot.inbox.push({ consumer: "orders.commands", messageId: secret, processedAt: "2030" }),
    ],
    [
      "a private text in a dead-letter queue",
      (world) =>
        edit(world, "shipping-on-customers-dlq", (body) => JSON.stringify({ ...JSON.parse(body), secret })),
    ],
    [
      "a private number in a quarantined record",
      ({ journal, snapshot }) => {
        const payload = JSON.stringify({ data: { cents: cost } });
        journal.poison.push({ kind: "undecodable", stream: STREAM, payload: base64(payload) });
        snapshot.setAside.push(part(payload));
      },
    ],
    [
      "a private text in another domain's private column",
      ({ entity, newest }) => {
        for (const { row } of [entity("order-1"), newest("order-1")]) if (row) row["internalNote"] = secret;
      },
    ],
    [
      "a private column of another domain in a table",
      ({ entity, newest }) => {
        for (const { row } of [entity("order-1"), newest("order-1")]) if (row) row["carrierCostCents"] = 1;
      },
    ],
  ])("%s", (_title, doctor) => {
    const world = shop();
    doctor(world);
    expect(broken(world)).toEqual(["NOTHING_PRIVATE_LEAVES"]);
  });

  test("no number or id in which a private number is a part", () => {
    const world = shop();
    world.event("CustomerRegistered", "dan").data.change = { cents: 177777, id: `a${cost}` };
    world.envelope(world.event("CustomerRegistered", "dan"))["data"] = structuredClone(
      world.event("CustomerRegistered", "dan").data,
    );
    expect(broken(world)).toEqual([]);
  });
});
