import { beforeEach, describe, expect, test, vi } from "vitest";
import { domain as catalog } from "../../domains/catalog";
import { domain as customers } from "../../domains/customers";
import { domain as orders } from "../../domains/orders";
import { domain as shipping } from "../../domains/shipping";
import type { AnyCommand } from "../../runtime/define/command";
import { makeCommandHandler } from "../../runtime/command/handler";
import type { AnyDomain } from "../../runtime/define/domain";
import type { Store } from "../../runtime/store/store";
import { openDynamoStore } from "../../runtime/dynamodb/store";
import { isCarried } from "../support/carried";
import { fakePostgres } from "../support/fake-postgres";
import { fakeTables } from "../support/fake-tables";
import { brokenText, type Draw, drawing, jsonText, mutated, oneOf } from "../support/hostile";

const tables = fakeTables({
  orders: ["orderId"],
  shipments: ["shipmentId"],
  customers: ["aggregateId"],
  products: ["aggregateId"],
  "order-copies": ["aggregateId"],
  outbox: ["aggregateKey", "aggregateVersion"],
  inbox: ["messageId", "consumer"],
});
const prototype = Object.getOwnPropertyNames(Object.prototype).sort();

beforeEach(() => {
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("PROJECTION_TABLES", '{"customers":"customers","products":"products","orders":"order-copies"}');
  vi.stubEnv("ENTITY_TABLES", '{"orders":"orders","shipments":"shipments"}');
  vi.stubEnv("OUTBOX_TABLE", "outbox");
  vi.stubEnv("INBOX_TABLE", "inbox");
  vi.stubEnv("OUTBOX_RETENTION_DAYS", "7");
  vi.stubEnv("INBOX_RETENTION_DAYS", "30");
  vi.spyOn(console, "info").mockImplementation(() => undefined);
});

/** What Lambda lets a function answer. */
const MAX_ANSWER_CHARACTERS = 20_000;
const TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";

/** A request that is done when it is sent as it is. */
interface Valid {
  domain: string;
  commands: Record<string, AnyCommand>;
  command: string;
  input: object;
}

/** Requests to a command, whose input's schema is made once: making it takes longer than all the rest. */
function valid(domain: AnyDomain, name: string, input: object): Valid {
  const command = domain.commands[name]!;
  const schema = command.input();
  return {
    domain: domain.name,
    commands: { [name]: { ...command, input: () => schema } },
    command: name,
    input,
  };
}

/**
 * Sends malformed requests, and a valid one among every ten, and checks every answer and whether anything was written.
 *
 * @param writes changes that were written since it was last called
 */
async function answered(requests: number, all: Valid[], store: Store, writes: () => number) {
  const known = all.map((one) => ({
    ...one,
    handler: makeCommandHandler(one.domain, one.commands, () => store)(),
    schema: one.commands[one.command]!.input(),
  }));
  const draw = drawing(20_261_126);
  const outcomes = new Set<unknown>();
  for (let number = 0; number < requests; number += 1) {
    const { command, input, handler, schema } = oneOf(draw, known);
    const request = { command, input, id: `request-${number}`, correlationId: "c", traceparent: TRACE };
    const bad = badRequest(draw, request);
    const answer = await handler(bad).catch((error: unknown) => error as { code?: unknown });
    const outcome = "outcome" in answer ? answer.outcome : answer.code;
    expect(outcome).toMatch(/^([a-z]+|[A-Z]+(_[A-Z]+)+)$/);
    outcomes.add(outcome);
    expect(writes()).toBe("changes" in answer ? answer.changes.length : 0);
    if ("outcome" in answer) {
      expect(JSON.stringify(answer).length).toBeLessThan(MAX_ANSWER_CHARACTERS);
      const given = bad as { command?: unknown; input?: unknown };
      if (given.command === command) {
        const { success, data } = schema.safeParse(given.input);
        expect(answer.outcome === "invalid").toBe(!success || !isCarried(data));
      }
    }
    if (number % 10 > 0) continue;
    expect(await handler({ ...request, id: `valid-${number}` })).toMatchObject({ outcome: "done" });
    expect(writes()).toBe(1);
  }
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype);
  return [...outcomes];
}

describe("of 10,000 malformed requests", { timeout: 120_000 }, () => {
  const [KNOWN, NEW] = ["0a2e4c5d-1111-4222-8333-444455556666", "1a2e4c5d-1111-4222-8333-444455556666"];

  test("each is answered or refused by a code by the monolith, and nothing of it is written", async () => {
    const row = { customer_id: KNOWN, city: "Rome", product_id: KNOWN, price_cents: 1, stock: 1, version: 1 };
    const postgres = fakePostgres(row);
    const customer = { customerId: NEW, name: "Zoë", email: "zoe@example.com", city: "Turin" };
    const product = { productId: NEW, title: "Lamp", priceCents: 5, stock: 5, supplierCostCents: 1 };
    const outcomes = await answered(
      10_000,
      [
        valid(customers, "registerCustomer", { ...customer, creditNote: "good" }),
        valid(customers, "relocateCustomer", { customerId: KNOWN, city: "Turin" }),
        valid(customers, "closeCustomer", { customerId: KNOWN, reason: "moved" }),
        valid(catalog, "listProduct", product),
        valid(catalog, "repriceProduct", { productId: KNOWN, priceCents: 7 }),
      ],
      postgres.store,
      () => postgres.writes(),
    );
    expect(outcomes.sort()).toEqual(["INVALID_VALUE", "REQUEST_MALFORMED", "done", "invalid"]);
  });

  test("each is answered or refused by a code by a microservice, and nothing of it is written", async () => {
    fillTables();
    const order = { orderId: NEW, customerId: KNOWN, productId: KNOWN, quantity: 1, internalNote: "x" };
    const outcomes = await answered(
      10_000,
      [
        valid(orders, "placeOrder", order),
        valid(orders, "cancelOrder", { orderId: KNOWN, reason: "moved" }),
        valid(shipping, "dispatchShipment", { shipmentId: KNOWN }),
      ],
      openDynamoStore(),
      () => {
        const written = tables.items("outbox").length;
        if (written > 0) fillTables();
        return written;
      },
    );
    expect(outcomes.sort()).toEqual(["REQUEST_MALFORMED", "done", "invalid"]);
  });

  function fillTables() {
    const order = { orderId: KNOWN, customerId: KNOWN, productId: KNOWN, quantity: 1, totalCents: 5 };
    const copy = { aggregateId: KNOWN, version: 1 };
    const shipment = { shipmentId: KNOWN, customerId: KNOWN, city: null, carrierCostCents: 1 };
    tables.clear();
    tables.put("customers", { ...copy, fields: { name: "Zoë", city: "Turin" } });
    tables.put("products", { ...copy, fields: { title: "Lamp", priceCents: 5 } });
    tables.put("order-copies", { ...copy, fields: { totalCents: 5, status: "placed" } });
    tables.put("orders", { ...order, status: "placed", version: 1 });
    tables.put("shipments", { ...shipment, status: "pending", version: 1 });
  }
});

/** As Lambda hands it over: parsed JSON, whatever it says. */
function badRequest(draw: Draw, request: { input: object }): unknown {
  const text = JSON.stringify(request);
  for (;;) {
    const kind = draw(8);
    const input = kind < 5 ? mutated(draw, request.input) : request.input;
    const bad =
      kind === 7
        ? brokenText(draw, text)
        : jsonText(kind < 5 ? { ...request, input } : mutated(draw, request));
    try {
      return JSON.parse(bad);
    } catch {
      // Lambda itself refuses what is no JSON.
    }
  }
}
