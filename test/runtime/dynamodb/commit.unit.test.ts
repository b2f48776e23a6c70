import { withSchemasMadeOnce } from "../../../runtime/store/handles";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { MAX_CHANGES_PER_COMMIT, type StagedChange } from "../../../runtime";
import { commitToDynamo } from "../../../runtime/dynamodb/commit";
import { dynamoHandle } from "../../../runtime/dynamodb/store";
import { accountAt, accountChanges, type AccountHandle, accounts } from "../../support/domain/account";

const mock = mockClient(DynamoDBDocumentClient);
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: "us-east-1" }));
const TABLES = {
  entities: { accounts: "accounts-1a2b3c4" },
  outbox: "outbox-1a2b3c4",
  inbox: "inbox-1a2b3c4",
  outboxRetentionDays: 7,
  inboxRetentionDays: 14,
};
const CONTEXT = { correlationId: "request-1" };
const ONCE = { ...CONTEXT, once: { consumer: "bank.commands", messageId: "r1" } };

beforeEach(() => {
  mock.reset();
  // No pause between tries.
  vi.spyOn(Math, "random").mockReturnValue(0);
});

const id = (index: number) => `018f3c1e-0000-7000-8000-${String(index).padStart(12, "0")}`;
// As `HandlesOf` types it for commands.
const handle = dynamoHandle(documents, "accounts", "accounts-1a2b3c4", accounts) as unknown as AccountHandle;
const changes = accountChanges(() => handle);
const opening = (index = 1, note?: string) =>
  changes.opening(id(index), { owner: "Ada", ...(note === undefined ? {} : { note }) });
const closing = (version: number) => changes.closing(accountAt(id(1), version));

/** A transaction that DynamoDB cancelled for these reasons, one per action. */
const cancelled = (...codes: (string | { Code: string; Item?: object })[]) =>
  Object.assign(new Error("Transaction cancelled"), {
    name: "TransactionCanceledException",
    CancellationReasons: codes.map((code) => (typeof code === "string" ? { Code: code } : code)),
  });
const FAILED = "ConditionalCheckFailed";
const removedAt = (version: number) => ({
  Code: FAILED,
  Item: { accountId: { S: id(1) }, version: { N: String(version) }, removed: { BOOL: true } },
});
const livingAt = (version: number) => ({
  Code: FAILED,
  Item: { accountId: { S: id(1) }, owner: { S: "Eve" }, version: { N: String(version) } },
});
const attempts = () =>
  mock.commandCalls(TransactWriteCommand).map(({ args }) => args[0].input.TransactItems ?? []);
const tokens = () =>
  mock.commandCalls(TransactWriteCommand).map(({ args }) => args[0].input.ClientRequestToken);
const commit = (changes: StagedChange[], context = CONTEXT) =>
  commitToDynamo(documents, TABLES, changes, context);

describe("a commit", () => {
  test("is one transaction of the inbox record and each change with its event, in that order", async () => {
    const outcome = await commit([opening(1), opening(2)], ONCE);
    expect(outcome).toMatchObject({
      outcome: "committed",
      changes: [
        { id: id(1), version: 1 },
        { id: id(2), version: 1 },
      ],
    });
    expect(attempts()).toHaveLength(1);
    expect(attempts()[0]!.map(({ Put }) => Put?.TableName)).toEqual([
      "inbox-1a2b3c4",
      "accounts-1a2b3c4",
      "outbox-1a2b3c4",
      "accounts-1a2b3c4",
      "outbox-1a2b3c4",
    ]);
  });

  test("of nothing makes no call", async () => {
    expect(await commit([])).toEqual({ outcome: "committed", changes: [] });
    expect(attempts()).toEqual([]);
  });

  test("of nothing but the inbox record writes that", async () => {
    expect(await commit([], ONCE)).toEqual({ outcome: "committed", changes: [] });
    expect(attempts()).toMatchObject([[{ Put: { TableName: "inbox-1a2b3c4" } }]]);
  });

  test("takes 49 changes, with the inbox record 99 actions", async () => {
    const changes = Array.from({ length: MAX_CHANGES_PER_COMMIT }, (_, index) => opening(index));
    await commit(changes, ONCE);
    expect(attempts()[0]).toHaveLength(99);
  });

  test("of more changes than a transaction takes is refused, and nothing is sent", async () => {
    const changes = Array.from({ length: MAX_CHANGES_PER_COMMIT + 1 }, (_, index) => opening(index));
    await expect(commit(changes)).rejects.toMatchObject({
      code: "TOO_MANY_CHANGES",
      message: "50 changes do not fit into one transaction of DynamoDB; the limit is 49. Split the command.",
    });
    expect(attempts()).toEqual([]);
  });

  test("of a change in Kysely's builders is refused, and nothing is sent", async () => {
    const stray: StagedChange = {
      kind: "change",
      operation: "kysely",
      table: "accounts",
      definition: withSchemasMadeOnce(accounts),
      event: "AccountOpened",
      change: {},
      describe: () => undefined,
    };
    await expect(commit([opening(), stray])).rejects.toMatchObject({ code: "WRONG_STORE" });
    expect(attempts()).toEqual([]);
  });

  test("of two changes of one aggregate is refused, and nothing is sent", async () => {
    await expect(commit([opening(1), opening(2), closing(1)])).rejects.toMatchObject({
      code: "AGGREGATE_CHANGED_TWICE",
      message: `bank.Account "${id(1)}" is changed twice in one commit. Make it one change. Nothing was written.`,
    });
    expect(attempts()).toEqual([]);
  });

  test("of more bytes than a transaction takes is refused with both, and nothing is sent", async () => {
    const changes = Array.from({ length: 12 }, (_, index) => opening(index, "x".repeat(400_000)));
    await expect(commit(changes)).rejects.toMatchObject({
      code: "TRANSACTION_TOO_LARGE",
      message: expect.stringMatching(
        /^The changes have 48\d{5} bytes with their events; a transaction of DynamoDB may have 4194304\./,
      ) as string,
    });
    expect(attempts()).toEqual([]);
    await commit(changes.slice(0, 10));
    expect(attempts()).toHaveLength(1);
  });

  test("with one change that does not fit sends none of them", async () => {
    const wrong = { ...opening(2), change: { amount: 1 } };
    await expect(commit([opening(1), wrong])).rejects.toMatchObject({ code: "INVALID_CHANGE" });
    expect(attempts()).toEqual([]);
  });
});

describe("a cancelled transaction", () => {
  test("is a duplicate when the inbox has the message already, whatever else had changed", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled(FAILED, livingAt(1), FAILED));
    expect(await commit([opening()], ONCE)).toEqual({ outcome: "duplicate" });
    expect(attempts()).toHaveLength(1);
  });

  test("is a conflict that names the aggregate when its item was changed since it was read", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled("None", "None", livingAt(2), "None"));
    expect(await commit([opening(2), closing(1)])).toEqual({
      outcome: "conflict",
      aggregate: "bank.Account",
      message: `bank.Account "${id(1)}" was changed by another request since it was read. Nothing was written. Read it again.`,
    });
    expect(attempts()).toHaveLength(1);
  });

  test("is a conflict that also says which aggregate exists when one was to be created", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled("None", "None", livingAt(2), "None"));
    expect(await commit([opening(1), opening(2)])).toMatchObject({
      outcome: "conflict",
      aggregate: "bank.Account",
      message: expect.stringContaining(id(2)) as string,
      existing: id(2),
    });
    expect(attempts()).toHaveLength(1);
  });

  test("is a conflict when the outbox has the version already", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled("None", FAILED));
    expect(await commit([opening()])).toMatchObject({ outcome: "conflict" });
  });

  test("finds the change that lost behind an inbox record too", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled("None", "None", "None", livingAt(1), "None"));
    const outcome = await commit([opening(1), opening(2)], ONCE);
    expect(outcome).toMatchObject({
      outcome: "conflict",
      message: expect.stringContaining(id(2)) as string,
    });
  });

  test("is tried again at once as a new life, whose versions go on, when a creation met a removed item", async () => {
    mock
      .on(TransactWriteCommand)
      .rejectsOnce(cancelled("None", removedAt(6), "None"))
      .resolves({});
    const outcome = await commit([opening()], ONCE);
    expect(outcome).toMatchObject({ outcome: "committed", changes: [{ version: 7 }] });
    expect(attempts()[1]).toMatchObject([
      { Put: { TableName: "inbox-1a2b3c4" } },
      { Put: { Item: { version: 7 }, ExpressionAttributeValues: { ":version": 6 } } },
      { Put: { Item: { aggregateVersion: 7 } } },
    ]);
  });

  test("is a conflict when somebody else began the new life first", async () => {
    mock
      .on(TransactWriteCommand)
      .rejectsOnce(cancelled(removedAt(6), "None"))
      .rejects(cancelled(livingAt(7), FAILED));
    expect(await commit([opening()])).toMatchObject({ outcome: "conflict", existing: id(1) });
    expect(attempts()).toHaveLength(2);
  });

  test("is a conflict when the new life was over before it was taken up", async () => {
    mock
      .on(TransactWriteCommand)
      .rejectsOnce(cancelled(removedAt(6), "None"))
      .rejects(cancelled(removedAt(8), FAILED));
    const outcome = await commit([opening()]);
    expect(outcome).toMatchObject({ outcome: "conflict" });
    expect(outcome).not.toHaveProperty("existing");
    expect(attempts()).toHaveLength(2);
  });

  test("is a conflict when a change, and not a creation, met a removed item", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled(removedAt(6), "None"));
    expect(await commit([closing(5)])).toMatchObject({ outcome: "conflict" });
    expect(attempts()).toHaveLength(1);
  });

  test("by another transaction at the same moment decided nothing and is tried again, as another transaction", async () => {
    mock.on(TransactWriteCommand).rejectsOnce(cancelled("TransactionConflict", "None")).resolves({});
    expect(await commit([opening()])).toMatchObject({ outcome: "committed", changes: [{ version: 1 }] });
    expect(new Set(tokens()).size).toBe(2);
  });

  test("that meets other transactions eight times is a conflict", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled("None", "TransactionConflict"));
    expect(await commit([opening()])).toMatchObject({
      outcome: "conflict",
      message: expect.stringContaining(id(1)) as string,
    });
    expect(attempts()).toHaveLength(8);
  });

  test("whose inbox record alone meets other transactions is a conflict that says so", async () => {
    mock.on(TransactWriteCommand).rejects(cancelled("TransactionConflict"));
    const outcome = await commit([], ONCE);
    expect(outcome).toMatchObject({
      outcome: "conflict",
      message: "Other requests are writing the same items at the moment. Nothing was written. Try again.",
    });
  });

  test.each([
    "ThrottlingError",
    "ValidationError",
    "ProvisionedThroughputExceeded",
    "ItemCollectionSizeLimitExceeded",
  ])("for the reason %s stays an error", async (reason) => {
    mock.on(TransactWriteCommand).rejects(cancelled(reason, "None"));
    await expect(commit([opening()])).rejects.toMatchObject({ name: "TransactionCanceledException" });
    expect(attempts()).toHaveLength(1);
  });

  test("without reasons stays an error", async () => {
    const error = Object.assign(new Error("Cancelled"), { name: "TransactionCanceledException" });
    mock.on(TransactWriteCommand).rejects(error);
    await expect(commit([opening()])).rejects.toThrow("Cancelled");
  });
});

describe("any other error", () => {
  test("stays as it is", async () => {
    const error = Object.assign(new Error("No."), { name: "AccessDeniedException" });
    mock.on(TransactWriteCommand).rejects(error);
    await expect(commit([opening()])).rejects.toBe(error);
  });
});
