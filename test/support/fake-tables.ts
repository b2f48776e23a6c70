/** DynamoDB in memory, for tests of very many runs: it evaluates the conditions that the runtime writes with. */
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from "@aws-sdk/lib-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { mockClient } from "aws-sdk-client-mock";

type Item = Record<string, unknown>;
interface Put {
  TableName?: string | undefined;
  Item?: Item | undefined;
  ConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Item | undefined;
}

/** The tables of a test file. */
export interface FakeTables {
  /** All items of a table, in the order of their first write. */
  items(tableName: string): Item[];
  /** Empties every table, and forgets the calls. */
  clear(): void;
  /** What runs before each write takes effect, e.g. to let others overtake it. @default nothing */
  before(write: () => Promise<void>): void;
}

/**
 * Answers every document client of this process from memory.
 *
 * @param keys table -> names of its key's attributes
 */
export function fakeTables(keys: Record<string, string[]>): FakeTables {
  const tables = new Map<string, Map<string, Item>>();
  const mock = mockClient(DynamoDBDocumentClient);
  let beforeWrite: () => Promise<void> = async () => undefined;
  const tableOf = (name = "") => {
    if (!keys[name]) throw awsFailure("ResourceNotFoundException");
    const table = tables.get(name) ?? new Map<string, Item>();
    tables.set(name, table);
    return table;
  };
  const keyOf = (name = "", item: Item = {}) => {
    const values = (keys[name] ?? []).map((key) => item[key]);
    const wrong = values.some((value) => value === undefined || value === "" || byteLength(value) > 2048);
    if (wrong) throw awsFailure("ValidationException");
    return JSON.stringify(values);
  };
  const holds = (put: Put) => isTrue(put, tableOf(put.TableName).get(keyOf(put.TableName, put.Item)));
  const store = ({ TableName, Item = {} }: Put) => {
    // As the real client would, with its refusals.
    marshall(Item, { removeUndefinedValues: true });
    tableOf(TableName).set(keyOf(TableName, Item), structuredClone(Item));
  };
  const answer = () => {
    mock.on(PutCommand).callsFake(async (put: Put) => {
      await beforeWrite();
      if (!holds(put)) throw awsFailure("ConditionalCheckFailedException");
      store(put);
      return {};
    });
    mock.on(GetCommand).callsFake(({ TableName, Key }: { TableName: string; Key: Item }) => {
      const item = tableOf(TableName).get(keyOf(TableName, Key));
      return item ? { Item: structuredClone(item) } : {};
    });
    mock.on(QueryCommand).callsFake(({ TableName, IndexName, ExpressionAttributeValues }) => ({
      Items: [...tableOf(TableName as string).values()].filter(
        (item) => item[IndexName as string] === (ExpressionAttributeValues as Item)[":value"],
      ),
    }));
    mock.on(TransactWriteCommand).callsFake(async ({ TransactItems }: { TransactItems: { Put: Put }[] }) => {
      await beforeWrite();
      const puts = TransactItems.map((action) => action.Put);
      const failed = puts.map((put) => !holds(put));
      if (failed.includes(true)) {
        const reasons = failed.map((isFailed) => ({ Code: isFailed ? "ConditionalCheckFailed" : "None" }));
        throw Object.assign(awsFailure("TransactionCanceledException"), { CancellationReasons: reasons });
      }
      for (const put of puts) marshall(put.Item, { removeUndefinedValues: true });
      for (const put of puts) store(put);
      return {};
    });
  };
  answer();
  return {
    items: (name) => [...tableOf(name).values()],
    clear() {
      tables.clear();
      mock.reset();
      answer();
      beforeWrite = async () => undefined;
    },
    before(write) {
      beforeWrite = write;
    },
  };
}

/** Terms joined by OR: `attribute_not_exists(a)`, `a < b` and `a = b`; nothing else is written by the runtime. */
function isTrue(put: Put, old: Item | undefined): boolean {
  const { ConditionExpression = "", ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = put;
  const value = (name: string) =>
    name.startsWith(":") ? ExpressionAttributeValues[name] : old?.[ExpressionAttributeNames[name] ?? name];
  return ConditionExpression.split(" OR ").some((term) => {
    const missing = /^attribute_not_exists\((\S+)\)$/.exec(term)?.[1];
    if (missing) return value(missing) === undefined;
    const [, left = "", operator, right = ""] = /^(\S+) ([<=]) (\S+)$/.exec(term) ?? [];
    if (!operator)
      throw new Error(`The condition "${term}" is not understood here. Teach it to fake-tables.ts.`);
    const [one, other] = [value(left), value(right)];
    if (one === undefined || other === undefined) return false;
    return operator === "=" ? one === other : Number(one) < Number(other);
  });
}

function byteLength(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}

function awsFailure(name: string): Error {
  return Object.assign(new Error(name), { name });
}
