import { describe, expect, test } from "vitest";
import { shop, STREAM } from "../../support/verdict/shop.js";
import { broken, type World } from "../../support/verdict/world.js";

const QUARANTINE = "monolith-relay-quarantine";

/** A message that a relay sends for one record. */
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

/** Changes the bodies of a queue's messages. */
function edit({ snapshot }: World, queue: string, edited: (body: string) => string): void {
  for (const message of [...snapshot.quarantined, ...snapshot.deadLetters])
    if (message.queue === queue) message.body = edited(message.body);
}

test("a record whose parts were quarantined twice, and once not completely, is whole", () => {
  const world = shop();
  const { quarantined } = world.snapshot;
  const [first] = quarantined;
  if (first) quarantined.push(first, ...structuredClone(quarantined.slice(0, 2)));
  expect(broken(world)).toEqual([]);
});

test("of a refused event whose content was not noted, the message is enough", () => {
  const world = shop();
  for (const poison of world.journal.poison) if (poison.kind === "refused") delete poison.detail;
  expect(broken(world)).toEqual([]);
});

describe("QUARANTINED_WITH_PAYLOAD is broken by", () => {
  test.each<[string, (world: World) => void]>([
    [
      "a record that is not in the quarantine",
      ({ snapshot }) => {
        snapshot.quarantined = [];
      },
    ],
    [
      "a record without one of its parts",
      ({ snapshot }) => {
        snapshot.quarantined = snapshot.quarantined.filter(({ body }) => !body.includes('"part":1'));
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
      ({ snapshot }) => snapshot.quarantined.push(part("xx", { sequenceNumber: "1", parts: 2 })),
    ],
    [
      "one record where two were injected",
      ({ journal }) => {
        const [poison] = journal.poison;
        if (poison) journal.poison.push(poison);
      },
    ],
    ["a record that nobody injected", ({ snapshot }) => snapshot.quarantined.push(part("a good record"))],
    [
      "a message in a quarantine queue that no relay sent",
      ({ snapshot }) => snapshot.quarantined.push({ queue: QUARANTINE, body: "text" }),
    ],
    [
      "a refused event that is not in its dead-letter queue",
      ({ snapshot }) => {
        snapshot.deadLetters = snapshot.deadLetters.filter(({ body }) => !body.includes('"odd"'));
      },
    ],
    [
      "an event that no contract knows and that is nowhere",
      ({ journal, snapshot }) => {
        const detail = { specversion: "1.0", id: "unclaimed", source: "customers", type: "CustomerTouched" };
        snapshot.bus.push(detail);
        journal.poison.push({ kind: "unclaimed", eventId: detail.id, detail });
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
    expect(broken(world)).toEqual(["QUARANTINED_WITH_PAYLOAD"]);
  });
});

describe("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS is broken by", () => {
  test.each([
    ["an event in a dead-letter queue", "orders-on-customers-dlq", '{"detail":{"id":"odd"}}'],
    ["an event in a target's dead-letter queue", "orders-on-customers-target-dlq", '{"detail":{"id":"odd"}}'],
    ["a message without an event in a dead-letter queue", "orders-on-customers-dlq", "text"],
  ])("%s", (_title, queue, body) => {
    const world = shop();
    world.snapshot.deadLetters.push({ queue, body });
    expect(broken(world)).toEqual(["EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"]);
  });
});
