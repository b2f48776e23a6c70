import { withSchemasMadeOnce } from "../../../runtime/store/handles";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { StagedChange } from "../../../runtime";
import { commitToDynamo, isAnswerLost } from "../../../runtime/dynamodb/commit";
import { accounts, newAccount } from "../../support/domain/account";

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

const opening = (): StagedChange => ({
  kind: "change",
  operation: "create",
  table: "accounts",
  definition: withSchemasMadeOnce(accounts),
  event: "AccountOpened",
  change: {},
  fields: newAccount("018f3c1e-0000-7000-8000-000000000001"),
});
/** A transaction that DynamoDB cancelled for these reasons, one per action. */
const cancelled = (...codes: string[]) =>
  Object.assign(new Error("Transaction cancelled"), {
    name: "TransactionCanceledException",
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
const sent = () => mock.commandCalls(TransactWriteCommand).map(({ args }) => args[0].input);
const commit = (changes: StagedChange[], context = CONTEXT) =>
  commitToDynamo(documents, TABLES, changes, context);

describe("an answer that is lost", () => {
  const lost = (name: string) => Object.assign(new Error("Lost"), { name });

  test.each(["TimeoutError", "TransactionInProgressException"])(
    "is asked for with the very same transaction, which DynamoDB runs once: %s",
    async (name) => {
      mock.on(TransactWriteCommand).rejectsOnce(lost(name)).rejectsOnce(lost(name)).resolves({});
      const outcome = await commit([opening()], ONCE);
      expect(outcome).toMatchObject({ outcome: "committed", changes: [{ version: 1 }] });
      const [first, ...further] = sent();
      expect(first?.ClientRequestToken).toMatch(/^[0-9a-f-]{36}$/);
      expect(further).toEqual([first, first]);
    },
  );

  test.each([
    ["refuses", Object.assign(new Error("No."), { name: "AccessDeniedException" })],
    ["cancels for no reason of ours", cancelled("ThrottlingError", "None")],
  ])(
    "is unknown when the next try is one that DynamoDB %s: the first one may have been done",
    async (_, error) => {
      mock.on(TransactWriteCommand).rejectsOnce(lost("TimeoutError")).rejects(error);
      expect(await commit([opening()])).toMatchObject({ outcome: "unknown" });
      expect(sent()).toHaveLength(2);
    },
  );

  test("is a conflict when the next try is one: under its token a transaction that was done would not conflict", async () => {
    mock
      .on(TransactWriteCommand)
      .rejectsOnce(lost("TimeoutError"))
      .rejects(cancelled("ConditionalCheckFailed", "None"));
    expect(await commit([opening()])).toMatchObject({ outcome: "conflict" });
  });

  test("of a try before contention is forgotten: what was cancelled was not done", async () => {
    const denied = Object.assign(new Error("No."), { name: "AccessDeniedException" });
    mock
      .on(TransactWriteCommand)
      .rejectsOnce(lost("TimeoutError"))
      .rejectsOnce(cancelled("TransactionConflict", "None"))
      .rejects(denied);
    await expect(commit([opening()])).rejects.toBe(denied);
  });

  test("eight times is unknown", async () => {
    mock.on(TransactWriteCommand).rejects(lost("TimeoutError"));
    expect(await commit([opening()])).toEqual({
      outcome: "unknown",
      message: "DynamoDB did not answer any attempt. The changes may have been written.",
    });
    expect(sent()).toHaveLength(8);
    expect(new Set(sent().map((input) => input.ClientRequestToken)).size).toBe(1);
  });
});

const error = (fields: object) => Object.assign(new Error("No."), fields);
const answered = (name: string, httpStatusCode: number, attempts = 1) =>
  error({ name, $metadata: { httpStatusCode, attempts } });

test.each([
  ["the connection broke", error({ code: "ECONNRESET", $metadata: { attempts: 3 } })],
  ["the connection was refused", error({ code: "ECONNREFUSED" })],
  ["time ran out", error({ name: "TimeoutError" })],
  ["the service failed", answered("InternalServerError", 500)],
  ["the service was not there", answered("ServiceUnavailable", 503)],
  ["only the last of several tries was refused", answered("ProvisionedThroughputExceededException", 400, 3)],
  ["the same transaction is in progress", answered("TransactionInProgressException", 400)],
])("A call may have taken effect when %s", (_, lost) => {
  expect(isAnswerLost(lost)).toBe(true);
});

test.each([
  ["the service refused it", answered("AccessDeniedException", 400)],
  ["the transaction was cancelled", answered("TransactionCanceledException", 400)],
  ["the transaction was cancelled at a further try", answered("TransactionCanceledException", 400, 2)],
  ["it was throttled", answered("ProvisionedThroughputExceededException", 400)],
  [
    "there were no credentials to sign it",
    error({ name: "CredentialsProviderError", $metadata: { attempts: 1 } }),
  ],
  ["it could not be made", new TypeError("Cannot read properties of undefined")],
])("A call has taken no effect when %s", (_, refused) => {
  expect(isAnswerLost(refused)).toBe(false);
});
