import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, TransactGetCommand } from "@aws-sdk/lib-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { readCommittedRequest } from "../../../runtime/dynamodb/inbox";

const mock = mockClient(DynamoDBDocumentClient);
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: "us-east-1" }));
const CHANGES = [{ aggregate: "bank.Account", id: "a", version: 1, event: "AccountOpened", eventId: "e" }];
const read = () => readCommittedRequest(documents, "inbox-1", { consumer: "bank.commands", messageId: "r1" });
const reads = () => mock.commandCalls(TransactGetCommand);

beforeEach(() => {
  mock.reset();
  // No pause between tries.
  vi.spyOn(Math, "random").mockReturnValue(0);
});

describe("what was committed under a request's id", () => {
  test("is read in a transaction, which no other one is halfway through", async () => {
    mock
      .on(TransactGetCommand)
      .resolves({ Responses: [{ Item: { fingerprint: "f", changes: CHANGES, messageId: "r1" } }] });
    expect(await read()).toEqual({ fingerprint: "f", changes: CHANGES });
    expect(reads()[0]!.args[0].input).toEqual({
      TransactItems: [{ Get: { TableName: "inbox-1", Key: { messageId: "r1", consumer: "bank.commands" } } }],
    });
  });

  test("is nothing if there is no record", async () => {
    mock.on(TransactGetCommand).resolves({ Responses: [{}] });
    expect(await read()).toBeUndefined();
  });

  test("is read again while a transaction that may write it is being decided", async () => {
    const busy = Object.assign(new Error("Busy"), { name: "TransactionCanceledException" });
    mock
      .on(TransactGetCommand)
      .rejectsOnce(busy)
      .resolves({ Responses: [{}] });
    expect(await read()).toBeUndefined();
    mock.reset();
    mock.on(TransactGetCommand).rejects(busy);
    await expect(read()).rejects.toBe(busy);
    expect(reads()).toHaveLength(8);
  });

  test("is an error where it cannot be read", async () => {
    mock.on(TransactGetCommand).rejects(Object.assign(new Error("No."), { name: "AccessDeniedException" }));
    await expect(read()).rejects.toThrow("No.");
    expect(reads()).toHaveLength(1);
  });
});
