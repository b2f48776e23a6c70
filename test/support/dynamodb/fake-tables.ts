/** DynamoDB in memory, for tests with very many runs. It evaluates the conditions of the runtime. */
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactGetCommand,
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
  ReturnValuesOnConditionCheckFailure?: string | undefined;
}

/** The tables of a test file. */
export interface FakeTables {
  /** All items of a table, in the order of their first write. */
  items(tableName: string): Item[];
  /** Puts an item, unconditionally. */
  put(tableName: string, item: Item): void;
  /** Empties every table, and resets the calls. */
  clear(): void;
  /** Runs before each write takes effect, e.g. to let another writer overtake it. @default nothing */
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
    marshalled(Item);
    tableOf(TableName).set(keyOf(TableName, Item), structuredClone(Item));
  };
  const put = async (input: Put) => {
    await beforeWrite();
    if (!holds(input)) throw awsFailure("ConditionalCheckFailedException");
    store(input);
    return {};
  };
  const failedCondition = (one: Put) => {
    const old = tableOf(one.TableName).get(keyOf(one.TableName, one.Item));
    const isAsked = old !== undefined && one.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
    // The document client does not unmarshall the items in cancellation reasons.
    return { Code: "ConditionalCheckFailed", ...(isAsked ? { Item: marshalled(old) } : {}) };
  };
  const transactWrite = async (puts: Put[]) => {
    await beforeWrite();
    const reasons = puts.map((one) => (holds(one) ? { Code: "None" } : failedCondition(one)));
    if (reasons.some(({ Code }) => Code !== "None")) {
      throw Object.assign(awsFailure("TransactionCanceledException"), { CancellationReasons: reasons });
    }
    for (const { Item } of puts) marshalled(Item);
    for (const one of puts) store(one);
    return {};
  };
  const get = (TableName = "", key: Item = {}) => {
    const item = tableOf(TableName).get(keyOf(TableName, key));
    return item ? { Item: structuredClone(item) } : {};
  };
  const query = ({ TableName, ...input }: QueryCommand["input"]) => {
    const { KeyConditionExpression, ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = input;
    if (KeyConditionExpression !== "#field = :value")
      throw new Error(
        `The query "${KeyConditionExpression}" is not understood here. Teach it to fake-tables.ts.`,
      );
    const attribute = ExpressionAttributeNames["#field"] ?? "";
    const items = [...tableOf(TableName).values()];
    return { Items: items.filter((item) => item[attribute] === ExpressionAttributeValues[":value"]) };
  };
  // One fake for all commands, because sinon's matchers would take longer than everything else.
  const answer = async (command: unknown) => {
    if (command instanceof PutCommand) return put(command.input);
    if (command instanceof GetCommand) return get(command.input.TableName, command.input.Key);
    if (command instanceof QueryCommand) return query(command.input);
    if (command instanceof TransactGetCommand)
      return {
        Responses: (command.input.TransactItems ?? []).map(({ Get }) => get(Get?.TableName, Get?.Key)),
      };
    if (command instanceof TransactWriteCommand)
      return transactWrite(command.input.TransactItems?.map((action) => action.Put ?? {}) ?? []);
    throw new Error("The runtime has not sent this command so far. Add it to fake-tables.ts.");
  };
  // Typed for the answers of any command of any service.
  mock.send.callsFake(answer as never);
  return {
    items: (name) => [...tableOf(name).values()],
    put: (TableName, Item) => store({ TableName, Item }),
    clear() {
      tables.clear();
      mock.resetHistory();
      beforeWrite = async () => undefined;
    },
    before(write) {
      beforeWrite = write;
    },
  };
}

/**
 * Evaluates terms joined by OR: `attribute_not_exists(a)`, `a < b` and `a = b`. The runtime uses no others.
 */
function isTrue(put: Put, old: Item | undefined): boolean {
  const { ConditionExpression = "", ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = put;
  const value = (name: string) =>
    name.startsWith(":") ? ExpressionAttributeValues[name] : old?.[ExpressionAttributeNames[name] ?? name];
  return ConditionExpression.split(" OR ").some((term) => {
    const missing = /^attribute_not_exists\((\S+)\)$/.exec(term)?.[1];
    if (missing) return value(missing) === undefined;
    const [, left = "", operator, right = ""] = /^(\S+) ([<=]) (\S+)$/.exec(term) ?? [];
    if (!operator) throw new Error(`The condition "${term}" is unknown. Add it to fake-tables.ts.`);
    const [one, other] = [value(left), value(right)];
    if (one === undefined || other === undefined) return false;
    return operator === "=" ? one === other : Number(one) < Number(other);
  });
}

/** Marshals as the real client does, including what it refuses. */
function marshalled(item: Item = {}) {
  return marshall(item, { removeUndefinedValues: true });
}

function byteLength(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}

function awsFailure(name: string): Error {
  return Object.assign(new Error(name), { name });
}
