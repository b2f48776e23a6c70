import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { project, react } from "../../runtime";
import { dynamoStore } from "../../runtime/dynamodb/store";
import { makeProjectionHandler } from "../../runtime/projection/handler";
import { makeReactionHandler } from "../../runtime/reaction/handler";
import { Account, accounts } from "../support/domain/account";
import { isCarried } from "../support/domain/carried";
import { type LogLine } from "../support/process/captured-log";
import { bridgeEvent, cloudEvent, queueBatch } from "../support/domain/domain-events";
import { fakeTables } from "../support/dynamodb/fake-tables";
import { brokenText, type Draw, drawing, jsonText, mutated } from "../support/domain/hostile";
import { lambdaContext } from "../support/domain/outbox-records";

const tables = fakeTables({
  "accounts-copy": ["aggregateId"],
  accounts: ["accountId"],
  outbox: ["aggregateKey", "aggregateVersion"],
  inbox: ["messageId", "consumer"],
});
const prototype = Object.getOwnPropertyNames(Object.prototype).sort();
let failures: LogLine[] = [];

beforeEach(() => {
  tables.clear();
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("PROJECTION_TABLES", '{"accounts":"accounts-copy"}');
  vi.stubEnv("ENTITY_TABLES", '{"accounts":"accounts"}');
  vi.stubEnv("OUTBOX_TABLE", "outbox");
  vi.stubEnv("INBOX_TABLE", "inbox");
  vi.stubEnv("OUTBOX_RETENTION_DAYS", "7");
  vi.stubEnv("INBOX_RETENTION_DAYS", "30");
  vi.spyOn(Math, "random").mockReturnValue(0);
  vi.spyOn(console, "info").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation((line) => {
    failures.push(JSON.parse(String(line)) as LogLine);
  });
});

const BAD_PER_BATCH = 20;
/** Where in a batch the valid neighbours are. */
const NEIGHBOURS = [0, 10, BAD_PER_BATCH + 2];

const uuid = (number: number) => `018f3c1e-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
const opened = (number: number) => {
  const accountId = uuid(number);
  return cloudEvent({
    id: `event-${number}`,
    aggregateId: accountId,
    data: {
      change: { tags: ["a"] },
      state: { accountId, owner: "Zoë", balance: 5, grade: "gold", more: { deep: [{}] } },
    },
  });
};

const ID = z
  .string()
  .min(1)
  .refine((text) => isCarried(text) && [...text].length <= 256);
const OBJECT = z.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value) && isCarried(value),
);
const COUNT = z
  .string()
  .regex(/^[1-9]\d*$/)
  .transform(Number)
  .refine(Number.isSafeInteger);
const EVENT = z
  .object({
    id: ID,
    subject: ID,
    correlationid: ID,
    causationid: ID.optional(),
    traceparent: ID.optional(),
    source: z.literal("bank"),
    type: z.string().regex(/^[^:]+$/),
    time: z.iso.datetime({ offset: true }),
    sequence: COUNT,
    dataschema: z.string(),
    data: z.object({ change: OBJECT, state: OBJECT.nullable() }),
  })
  .refine(({ dataschema, type }) => {
    const version = dataschema.split(":").at(-1);
    return (
      dataschema === `urn:domain-event:bank:Account:${type}:${version}` && COUNT.safeParse(version).success
    );
  });

/** The domain event of an account in a message, by another statement of what one is. */
function goodEvent(body: string) {
  try {
    return EVENT.safeParse((JSON.parse(body) as { detail?: unknown } | null)?.detail).data;
  } catch {
    return undefined;
  }
}

/** What DynamoDB takes as the key of an index. */
function isIndexKey(value: unknown): boolean {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= 2048;
}

/** Hands malformed messages to a handler, with valid ones among them, and calls `check` after every batch. */
async function handled(
  batches: number,
  handle: (
    batch: ReturnType<typeof queueBatch>,
    context: ReturnType<typeof lambdaContext>,
  ) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>,
  check: (batch: { bodies: string[]; failed: Set<string>; neighbours: number[] }) => void,
) {
  const draw = drawing(20_261_125);
  for (let batch = 0; batch < batches; batch += 1) {
    tables.clear();
    failures = [];
    const neighbours: number[] = [];
    const bodies = Array.from({ length: BAD_PER_BATCH + NEIGHBOURS.length }, (_, index) => {
      const number = batch * 100 + index;
      if (!NEIGHBOURS.includes(index)) return badBody(draw, number);
      neighbours.push(number);
      return JSON.stringify(bridgeEvent(opened(number)));
    });
    const answer = await handle(queueBatch(bodies), lambdaContext());
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    expect(answer.batchItemFailures).toHaveLength(failed.size);
    // Every message that goes back is logged with a code.
    expect(new Set(failures.map(({ messageId }) => messageId))).toEqual(failed);
    for (const { code } of failures) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$/);
    check({ bodies, failed, neighbours });
    vi.clearAllMocks();
  }
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype);
}

describe("of 20,000 malformed messages in its batches", { timeout: 120_000 }, () => {
  test("a projection gives back each that is not a domain event, writes none of it, and writes the valid ones always", async () => {
    const copies = project(Account, (state) => ({ owner: state.owner, all: state }), { indexes: ["owner"] });
    const handler = makeProjectionHandler("accounts", copies).callbackFactory();
    let written = 0;
    await handled(1_000, handler, ({ bodies, failed, neighbours }) => {
      const good = bodies.map(goodEvent);
      expect(
        bodies.filter((_, index) => failed.has(`m${index + 1}`) === (good[index] !== undefined)),
      ).toEqual([]);
      const items = tables.items("accounts-copy");
      const newest = new Map<string, number>();
      for (const event of good) {
        if (event) newest.set(event.subject, Math.max(event.sequence, newest.get(event.subject) ?? 0));
      }
      expect(new Map(items.map((item) => [item["aggregateId"], item["version"]]))).toEqual(newest);
      for (const number of neighbours) expect(newest.has(uuid(number))).toBe(true);
      for (const { fields, by_owner: indexed } of items) {
        const owner = (fields as { owner?: unknown } | undefined)?.owner;
        expect(indexed).toBe(isIndexKey(owner) ? owner : undefined);
      }
      written += items.length;
    });
    expect(written).toBeGreaterThan(1_000 * (NEIGHBOURS.length + 1));
  });
});

describe("of 10,000 malformed messages in its batches", { timeout: 120_000 }, () => {
  test("a reaction gives back each that is not a domain event or leads to none, writes nothing of it, and reacts to the valid ones always", async () => {
    const reactions = react(Account, {
      uses: { accounts },
      on: {
        AccountOpened: async ({ aggregateId, state }, { accounts }) => {
          if (await accounts.find(aggregateId)) return [];
          const { owner = "nobody", balance = 0, grade = "none" } = state ?? {};
          return accounts.create({ accountId: aggregateId, owner, balance, grade }).raise("AccountOpened");
        },
      },
    });
    const handler = makeReactionHandler("town.accounts", reactions, dynamoStore).callbackFactory();
    const state = Account.state();
    let reacted = 0;
    await handled(500, handler, ({ bodies, failed, neighbours }) => {
      const processed = new Set(tables.items("inbox").map((item) => item["messageId"]));
      for (const [index, body] of bodies.entries()) {
        const event = goodEvent(body);
        if (!event) expect(failed).toContain(`m${index + 1}`);
        else if (event.type === "AccountOpened") {
          expect(processed.has(event.id)).toBe(!failed.has(`m${index + 1}`));
        }
      }
      expect(processed.size).toBeLessThanOrEqual(bodies.length - failed.size);
      for (const number of neighbours) expect(processed).toContain(`event-${number}`);
      expect(tables.items("accounts")).toHaveLength(tables.items("outbox").length);
      for (const account of tables.items("accounts")) state.parse(account);
      reacted += processed.size;
    });
    expect(reacted).toBeGreaterThan(500 * (NEIGHBOURS.length + 1));
  });
});

function badBody(draw: Draw, number: number): string {
  const valid = bridgeEvent(opened(number));
  if (draw(6) === 0) return brokenText(draw, JSON.stringify(valid));
  return jsonText(draw(3) === 0 ? { ...valid, detail: mutated(draw, valid.detail) } : mutated(draw, valid));
}
