import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test } from "vitest";
import { dynamoHandle } from "../../../runtime/dynamodb/handle";
import { projectionHandle } from "../../../runtime/projection/read";
import { ddbAccounts } from "../../support/account";

const mock = mockClient(DynamoDBDocumentClient);
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: "us-east-1" }));
const accounts = dynamoHandle(documents, "accounts", "accounts-1a2b3c4", ddbAccounts);
const ITEM = { accountId: "a", owner: "Ada", balance: 5, grade: "gold", note: "private", version: 3 };

beforeEach(() => mock.reset());

describe("reading", () => {
  test("one item is consistent", async () => {
    mock.on(GetCommand).resolves({ Item: ITEM });
    expect(await accounts.find("a")).toEqual(ITEM);
    expect(mock.commandCalls(GetCommand)[0]!.args[0].input).toEqual({
      TableName: "accounts-1a2b3c4",
      Key: { accountId: "a" },
      ConsistentRead: true,
    });
  });

  test("finds nothing of an item that was removed or never was", async () => {
    mock
      .on(GetCommand)
      .resolvesOnce({ Item: { accountId: "a", version: 4, removed: true } })
      .resolves({});
    expect(await accounts.find("a")).toBeUndefined();
    expect(await accounts.find("a")).toBeUndefined();
  });

  test("by an index reads every page", async () => {
    mock
      .on(QueryCommand)
      .resolvesOnce({ Items: [ITEM], LastEvaluatedKey: { accountId: "a" } })
      .resolvesOnce({ Items: [{ ...ITEM, accountId: "b" }] });
    const found = await accounts.where("owner", "Ada");
    expect(found.map(({ accountId }) => accountId)).toEqual(["a", "b"]);
    const [first, second] = mock.commandCalls(QueryCommand).map(({ args }) => args[0].input);
    expect(first).toMatchObject({ IndexName: "owner", ExpressionAttributeValues: { ":value": "Ada" } });
    expect(first).not.toHaveProperty("ExclusiveStartKey");
    expect(second).toMatchObject({ ExclusiveStartKey: { accountId: "a" } });
  });
});

describe("refused by a code, and without a call, is", () => {
  const refused = async (read: Promise<unknown>) => {
    await expect(read).rejects.toMatchObject({ code: "INVALID_KEY" });
    expect(mock.calls()).toEqual([]);
  };

  test.each([undefined, "", 5, "x".repeat(257), "a\0", "\ud800"])("to look for the key %j", async (id) => {
    await refused(accounts.find(id as string));
    await refused(projectionHandle(documents, "copies").find(id as string));
  });

  test.each([undefined, "", 5, "x".repeat(2_049)])("to look for the indexed value %j", async (value) => {
    await refused(accounts.where("owner", value as string));
  });
});

describe("staging", () => {
  const { version: _, ...fields } = ITEM;

  test("a creation expects nothing to be there", () => {
    expect(accounts.create("AccountOpened", {}, fields)).toMatchObject({
      kind: "dynamo-change",
      operation: "create",
      table: "accounts",
      item: fields,
      version: 0,
    });
  });

  test("an update is the item with the fields that change, at the version that was read", () => {
    const staged = accounts.update("AccountCredited", { amount: 2 }, ITEM, { balance: 7, version: 99 });
    expect(staged).toMatchObject({ operation: "update", item: { ...fields, balance: 7 }, version: 3 });
    expect(staged.item).not.toHaveProperty("version");
  });

  test("an update of the key is refused, since it would replace another aggregate", () => {
    expect(() => accounts.update("AccountRenamed", {}, ITEM, { accountId: "b" })).toThrow(
      expect.objectContaining({
        code: "KEY_CHANGED",
        message: expect.stringContaining('accountId of Account "a" cannot change (to "b")') as string,
      }),
    );
    expect(() => accounts.update("AccountRenamed", {}, ITEM, { accountId: "a" })).not.toThrow();
    expect(accounts.update("AccountRenamed", {}, ITEM, { accountId: undefined }).item).toEqual(fields);
  });

  test("a removal is of the version that was read", () => {
    expect(accounts.remove("AccountClosed", { reason: "x" }, ITEM)).toMatchObject({
      operation: "remove",
      version: 3,
    });
  });
});
