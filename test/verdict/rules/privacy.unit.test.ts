import { describe, expect, test } from "vitest";
import { billed, MARKS, shop, STREAM } from "../../support/verdict/shop.js";
import { broken, type World } from "../../support/verdict/world.js";

const IBAN = "GB82 WEST 1234 5698";
const BILLING = { to: "Accounts", accounts: [{ iban: IBAN }] };

test("a column may hold more than its contract publishes", () => {
  const world = shop();
  world.sql([billed("fay", BILLING)]);
  expect(broken(world)).toEqual([]);
});

test("an event that says more of a column than its contract is not true, and tells what is private", () => {
  const world = shop();
  const [event] = world.sql([billed("fay", BILLING)]);
  if (event) event.data.state = { ...(event.data.state as object), billing: BILLING };
  if (event) world.envelope(event)["data"] = structuredClone(event.data);
  expect(broken(world)).toEqual(["ONE_EVENT_PER_CHANGE", "NOTHING_PRIVATE_LEAVES"]);
});

describe("NOTHING_PRIVATE_LEAVES is broken by", () => {
  const [secret = ""] = MARKS.customers;
  const [cost = 0] = MARKS.catalog;
  test.each<[string, (world: World) => void]>([
    ...[
      ["a private text in an event's change", { note: `so ${secret} it is` }],
      ["a private number in an event's change", { costs: [{ cents: cost }] }],
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
      "a private text in a log",
      ({ snapshot }) => snapshot.log.push(`{"level":"error","reason":"got (${secret})"}`),
    ],
    ["a private text in a log that is no JSON", ({ snapshot }) => snapshot.log.push(`  at ${secret}`)],
    [
      "a private number in an answer",
      ({ command }) => {
        const answer = { outcome: "rejected", code: "TOO_DEAR", message: "no", cents: cost } as const;
        command("catalog.listProduct", [], []).answers.push(answer);
      },
    ],
    [
      "a private text in an inbox",
      ({ snapshot }) =>
        snapshot.inbox.push({ consumer: "orders.commands", messageId: secret, processedAt: "2030" }),
    ],
    [
      "a private text in a dead-letter queue",
      ({ snapshot }) => {
        const message = snapshot.deadLetters.find(({ queue }) => queue === "shipping-on-customers-dlq");
        if (message) message.body = JSON.stringify({ ...JSON.parse(message.body), secret });
      },
    ],
    [
      "a private number in a quarantined record",
      ({ journal, snapshot }) => {
        const payload = Buffer.from(JSON.stringify({ data: { cents: cost } })).toString("base64");
        const body = JSON.stringify({ stream: STREAM, sequenceNumber: "7", part: 1, parts: 1, payload });
        journal.poison.push({ kind: "undecodable", stream: STREAM, payload });
        snapshot.quarantined.push({ queue: "monolith-relay-quarantine", body });
      },
    ],
    [
      "a private part of a public column",
      (world) => {
        const [event] = world.sql([billed("fay", BILLING)]);
        if (!event) return;
        event.data.change = { notes: [IBAN] };
        world.envelope(event)["data"] = structuredClone(event.data);
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
