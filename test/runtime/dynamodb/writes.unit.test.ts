import { withSchemasMadeOnce } from "../../../runtime/store/handles";
import { describe, expect, test } from "vitest";
import { type DynamoChange, dynamoWrite } from "../../../runtime/dynamodb/writes";
import { inboxAction } from "../../../runtime/dynamodb/inbox";
import type { Row } from "../../../runtime/define/change";
import { MAX_PAYLOAD_BYTES } from "../../../runtime/store/validation";
import { accounts } from "../../support/domain/account";

const NOW = new Date("2026-05-04T03:02:01.234Z");
const NOW_SECONDS = Math.floor(NOW.getTime() / 1000);
const TABLES = {
  entities: { accounts: "accounts-1a2b3c4" },
  outbox: "outbox-1a2b3c4",
  inbox: "inbox-1a2b3c4",
  outboxRetentionDays: 7,
  inboxRetentionDays: 14,
};
const STATE = { accountId: "018f3c1e-0000-7000-8000-000000000001", owner: "Ada", balance: 5, grade: "gold" };
const CONTEXT = { correlationId: "request-1", causationId: "command-1" };

/** What all changes have; any of it can be given otherwise. */
interface Given {
  table?: string;
  event?: string;
  change?: unknown;
  /** The item as it was read, or as it is created. */
  item?: Row;
}
const about = ({ table = "accounts", event = "AccountCredited", change = { amount: 5 } }: Given) => ({
  kind: "change" as const,
  table,
  definition: withSchemasMadeOnce(accounts),
  event,
  change,
});
const write = (staged: DynamoChange) => dynamoWrite(staged, TABLES, CONTEXT, NOW);
const updated = ({ item = { ...STATE, note: "private" }, ...given }: Given = {}, fields: Row = {}) =>
  write({ ...about(given), operation: "update", row: { ...item, version: 3 }, fields });
const created = ({ item = { ...STATE, note: "private" }, ...given }: Given = {}, lastVersion?: number) =>
  write({
    ...about({ event: "AccountOpened", change: {}, ...given }),
    operation: "create",
    fields: item,
    ...(lastVersion === undefined ? {} : { lastVersion }),
  });
const removed = ({ item = STATE, ...given }: Given = {}) =>
  write({
    ...about({ event: "AccountClosed", change: { reason: "moved" }, ...given }),
    operation: "remove",
    row: { ...item, version: 3 },
  });

describe("the entity's action", () => {
  test("of a creation puts the item on the condition that there is none, not even a removed one", () => {
    const [{ Put }] = created().actions;
    expect(Put).toMatchObject({
      TableName: "accounts-1a2b3c4",
      Item: { ...STATE, note: "private", version: 1 },
      ConditionExpression: "attribute_not_exists(#key)",
      ExpressionAttributeNames: { "#key": "accountId" },
    });
    expect(Put).not.toHaveProperty("ExpressionAttributeValues");
  });

  test("of an update puts the whole item on the condition that it has the version that was read", () => {
    const [{ Put }] = updated(
      { item: { ...STATE, note: "private" } },
      { balance: 7, note: undefined },
    ).actions;
    expect(Put).toMatchObject({
      Item: { ...STATE, balance: 7, note: undefined, version: 4 },
      ConditionExpression: "#version = :version",
      ExpressionAttributeNames: { "#version": "version" },
      ExpressionAttributeValues: { ":version": 3 },
    });
  });

  test("of a removal leaves the key and the version, from which a new life goes on", () => {
    const [{ Put }] = removed().actions;
    expect(Put?.Item).toEqual({ accountId: STATE.accountId, version: 4, removed: true });
  });

  test("of a creation over a removed item goes on from its version", () => {
    const [{ Put }] = created({}, 6).actions;
    expect(Put).toMatchObject({ Item: { version: 7 }, ExpressionAttributeValues: { ":version": 6 } });
  });

  test("writes nothing that the table does not declare", () => {
    const stray = { stowaway: true, removed: true, version: 99 };
    const [{ Put }] = updated({ item: { ...STATE, ...stray } }, stray).actions;
    expect(Put?.Item).toEqual({ ...STATE, version: 4 });
  });
});

describe("the outbox's action", () => {
  test("adds the event with its state, its version and its end of life, on the condition that there is none", () => {
    const { actions, committed } = updated();
    expect(actions[1].Put).toEqual({
      TableName: "outbox-1a2b3c4",
      Item: {
        id: committed.eventId,
        aggregate: "bank.Account",
        aggregateId: STATE.accountId,
        aggregateKey: `bank.Account#${STATE.accountId}`,
        aggregateVersion: 4,
        type: "AccountCredited",
        schemaVersion: 2,
        payload: JSON.stringify({ change: { amount: 5 }, state: STATE }),
        occurredAt: "2026-05-04T03:02:01.234Z",
        correlationId: "request-1",
        causationId: "command-1",
        traceparent: undefined,
        expiresAt: NOW_SECONDS + 7 * 86_400,
      },
      ConditionExpression: "attribute_not_exists(aggregateVersion)",
    });
    expect(committed).toEqual({
      aggregate: "bank.Account",
      id: STATE.accountId,
      version: 4,
      event: "AccountCredited",
      eventId: expect.stringMatching(/^[0-9a-f-]{14}7/) as string,
    });
  });

  test("never carries private fields", () => {
    expect(JSON.stringify(updated().actions[1])).not.toContain("private");
  });

  test("of a removal has a null state", () => {
    const { actions } = removed();
    expect(JSON.parse(String(actions[1].Put?.Item?.["payload"]))).toEqual({
      change: { reason: "moved" },
      state: null,
    });
  });
});

describe("the inbox's action", () => {
  test("adds the message with its end of life, on the condition that it is not there", () => {
    expect(inboxAction({ consumer: "shop.accounts", messageId: "m1" }, [], TABLES, NOW)).toEqual({
      Put: {
        TableName: "inbox-1a2b3c4",
        Item: {
          consumer: "shop.accounts",
          messageId: "m1",
          processedAt: "2026-05-04T03:02:01.234Z",
          expiresAt: NOW_SECONDS + 14 * 86_400,
        },
        ConditionExpression: "attribute_not_exists(messageId)",
      },
    });
  });

  test("keeps of a request what tells it from another one, and what it changed", () => {
    const { committed } = updated();
    const request = { consumer: "shop.commands", messageId: "r1", fingerprint: "f" };
    expect(inboxAction(request, [committed], TABLES, NOW).Put?.Item).toMatchObject({
      fingerprint: "f",
      changes: [committed],
    });
  });
});

describe("refused before anything is written is", () => {
  const code = (code: string) => expect.objectContaining({ code }) as Error;

  test("a change that does not fit its contract", () => {
    expect(() => updated({ change: { amount: 0 } })).toThrow(code("INVALID_CHANGE"));
  });

  test("an event that the contract does not have", () => {
    expect(() => updated({ event: "AccountVanished" })).toThrow(code("EVENT_UNKNOWN"));
  });

  test("a state that does not fit its contract", () => {
    expect(() => updated({}, { balance: -1 })).toThrow(code("INVALID_STATE"));
  });

  test("private fields that do not fit their schema, without telling them", () => {
    expect(() => updated({}, { note: 4711 })).toThrow(code("INVALID_STATE"));
    expect(() => updated({}, { note: 4711 })).not.toThrow(/4711/);
  });

  test("a table that is not registered, with the names there are", () => {
    expect(() => updated({ table: "cards" })).toThrow(
      expect.objectContaining({
        code: "TABLE_UNKNOWN",
        message: 'There is no entity table "cards" here; there are: accounts.',
      }),
    );
  });

  test.each([[""], ["x".repeat(257)], ["a\0"], [5]])(
    "an aggregate of the key %j, also for its removal",
    (accountId) => {
      expect(() => created({ item: { ...STATE, accountId } })).toThrow(code("INVALID_KEY"));
      expect(() => removed({ item: { accountId } })).toThrow(code("INVALID_KEY"));
    },
  );

  test("a text that another store would refuse or alter, be it public or private", () => {
    expect(() => updated({}, { owner: "Ada\0" })).toThrow(code("INVALID_STATE"));
    expect(() => updated({}, { note: "\ud800" })).toThrow(code("INVALID_STATE"));
    const renamed = { event: "AccountRenamed", change: { memo: "\udc00" } };
    expect(() => updated(renamed)).toThrow(code("INVALID_CHANGE"));
  });

  test("an indexed field that cannot be a key, since DynamoDB refuses the item then", () => {
    expect(() => created({ item: { ...STATE, owner: "é".repeat(1_025) } })).toThrow(
      expect.objectContaining({
        code: "INVALID_VALUE",
        message:
          "The new state of bank.Account has a value that the database does not take: owner: is an index, so it must be a text of 1 to 2048 bytes or absent. Nothing was written.",
      }),
    );
  });

  test("an item over DynamoDB's limit, be it by its private fields, with its size", () => {
    expect(() => created({ item: { ...STATE, note: "é".repeat(205_000) } })).toThrow(
      expect.objectContaining({
        code: "ITEM_TOO_LARGE",
        message: expect.stringMatching(
          /^bank\.Account "[^"]+" has 410\d{3} bytes; an item of DynamoDB may have 409600\. Nothing was written\./,
        ) as string,
      }),
    );
  });

  test("an event whose payload is over the limit, measured in bytes of UTF-8", () => {
    const envelope = Buffer.byteLength(JSON.stringify({ change: {}, state: { ...STATE, grade: "" } }));
    const room = MAX_PAYLOAD_BYTES - envelope;
    const euros = (bytes: number) => "€".repeat(Math.floor(bytes / 3)) + "x".repeat(bytes % 3);
    const graded = (bytes: number) => created({ item: { ...STATE, grade: euros(bytes) } });
    expect(() => graded(room)).not.toThrow();
    expect(() => graded(room + 1)).toThrow(
      expect.objectContaining({
        code: "EVENT_TOO_LARGE",
        message: expect.stringContaining(
          `has a payload of ${MAX_PAYLOAD_BYTES + 1} bytes; the limit is ${MAX_PAYLOAD_BYTES}. Nothing was written.`,
        ) as string,
      }),
    );
  });
});
