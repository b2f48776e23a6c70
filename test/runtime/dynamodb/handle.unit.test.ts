import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test } from "vitest";
import { dynamoHandle } from "../../../runtime/dynamodb/store";
import { projectionHandle } from "../../../runtime/projection/table";
import { project } from "../../../runtime";
import { Account, type AccountHandle, accounts as definition } from "../../support/domain/account";

const mock = mockClient(DynamoDBDocumentClient);
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: "us-east-1" }));
// As `HandlesOf` types it for commands.
const accounts = dynamoHandle(
  documents,
  "accounts",
  "accounts-1a2b3c4",
  definition,
) as unknown as AccountHandle;
const copies = projectionHandle(
  documents,
  "copies-1a2b3c4",
  project(Account, ({ owner }) => ({ owner }), { indexes: ["owner"] }),
);
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
    expect(first).toMatchObject({
      TableName: "accounts-1a2b3c4",
      IndexName: "owner",
      ExpressionAttributeNames: { "#field": "owner" },
      ExpressionAttributeValues: { ":value": "Ada" },
    });
    expect(first).not.toHaveProperty("ExclusiveStartKey");
    expect(second).toMatchObject({ ExclusiveStartKey: { accountId: "a" } });
  });
});

describe("a projection", () => {
  test("is read by the index of a field, without what is left of aggregates that are gone", async () => {
    const fields = { owner: "Ada" };
    mock.on(QueryCommand).resolves({
      Items: [
        { aggregateId: "a", version: 1, fields },
        { aggregateId: "b", version: 2 },
      ],
    });
    expect(await copies.where("owner", "Ada")).toEqual([fields]);
    expect(mock.commandCalls(QueryCommand)[0]!.args[0].input).toMatchObject({
      TableName: "copies-1a2b3c4",
      IndexName: "owner",
      ExpressionAttributeNames: { "#field": "by_owner" },
      ExpressionAttributeValues: { ":value": "Ada" },
    });
  });
});

describe("refused by a code, and without a call, is", () => {
  test.each([undefined, null, 5, {}])("to look for %j, which is not a text", async (value) => {
    for (const handle of [accounts, copies]) {
      const text = value as string;
      for (const read of [() => handle.find(text), () => handle.get(text), () => handle.where("owner", text)])
        await expect(read()).rejects.toMatchObject({ code: "INVALID_KEY" });
    }
    expect(mock.calls()).toEqual([]);
  });
});

describe("found nowhere, and without a call, is", () => {
  test.each(["", "x".repeat(257), "a\0", "\ud800"])("the key %j, which no item can have", async (id) => {
    for (const handle of [accounts, copies]) {
      expect(await handle.find(id)).toBeUndefined();
      await expect(handle.get(id)).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
    }
    expect(mock.calls()).toEqual([]);
  });

  test.each(["", "x".repeat(2_049)])("the indexed value %j, which no item can have", async (value) => {
    for (const handle of [accounts, copies]) expect(await handle.where("owner", value)).toEqual([]);
    expect(mock.calls()).toEqual([]);
  });
});

describe("an index that is not declared", () => {
  test.each(["balance", "grade", "", "__proto__"])(
    'is refused by a code, and without a call: "%s"',
    async (index) => {
      for (const [what, read] of [
        ['The table "accounts"', accounts],
        ["The projection of bank.Account", copies],
      ] as const) {
        await expect(read.where(index as "owner", "x")).rejects.toMatchObject({
          code: "INDEX_UNKNOWN",
          message: `${what} has no index "${index}"; its indexes are: owner. Name it under \`indexes\` where it is declared.`,
        });
      }
      expect(mock.calls()).toEqual([]);
    },
  );
});
