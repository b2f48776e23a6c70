import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { codedError, errorCode } from "../function/coded-error";

/*
 * A hold keeps an aggregate's order while one of its events is in quarantine. It names the version that must
 * reach the bus next; later versions are quarantined behind it, and earlier ones are repeats. It is kept in a
 * table, because an invocation knows nothing of the ones before it. When the event is put back and published,
 * the hold advances to the next version, and so on until the stream's own events are next again. So whatever is
 * put back, in whatever order, the aggregate's order is kept.
 */

/** A relay's table of holds. Its hash key is `aggregateKey`, its items expire at `expiresAt`. */
export interface HoldsTable {
  client: DynamoDBClient;
  tableName: string;
}

/** "<domain>.<Aggregate>/<id>" -> the version that must be published next. */
export type Holds = Map<string, number>;

/** How long a hold lasts: as long as the quarantine keeps the event. */
const HOLD_SECONDS = 14 * 86_400;
/** Keys of one BatchGetItem call. Source: Amazon DynamoDB quotas. */
const MAX_KEYS = 100;

/**
 * Reads the holds of these aggregates.
 *
 * @throws HOLDS_NOT_READ when the table is too busy, and the SDK's own errors: nothing may be published then
 */
export async function readHolds(
  { client, tableName }: HoldsTable,
  aggregateKeys: readonly string[],
  abortSignal: AbortSignal,
): Promise<Holds> {
  const holds: Holds = new Map();
  const keys = [...new Set(aggregateKeys)];
  for (let start = 0; start < keys.length; start += MAX_KEYS) {
    const Keys = keys.slice(start, start + MAX_KEYS).map((key) => ({ aggregateKey: { S: key } }));
    const read = new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ConsistentRead: true } } });
    const { Responses, UnprocessedKeys } = await client.send(read, { abortSignal });
    if (Object.keys(UnprocessedKeys ?? {}).length > 0) {
      throw codedError("HOLDS_NOT_READ", `The table "${tableName}" is too busy. The batch is tried again.`);
    }
    for (const item of Responses?.[tableName] ?? []) {
      const { aggregateKey, next, expiresAt } = item;
      // Expired items are removed within days.
      if (Number(expiresAt?.N) > nowSeconds()) holds.set(aggregateKey?.S ?? "", Number(next?.N));
    }
  }
  return holds;
}

/** Holds an aggregate at this version, unless it is held at an earlier one. @throws the SDK's own errors */
export async function hold(
  { client, tableName }: HoldsTable,
  aggregateKey: string,
  version: number,
  abortSignal: AbortSignal,
): Promise<void> {
  const values = { ":version": number(version), ":now": number(nowSeconds()) };
  const put = new PutItemCommand({
    TableName: tableName,
    Item: {
      aggregateKey: { S: aggregateKey },
      next: number(version),
      expiresAt: number(nowSeconds() + HOLD_SECONDS),
    },
    ConditionExpression: "attribute_not_exists(aggregateKey) OR #next > :version OR expiresAt <= :now",
    ExpressionAttributeNames: { "#next": "next" },
    ExpressionAttributeValues: values,
  });
  await unlessConditionFails(client.send(put, { abortSignal }));
}

/**
 * Lets an aggregate's next event pass, because the ones before it are on the bus or were given up. A hold that
 * does not name the version `from` stays as it is.
 *
 * @throws the SDK's own errors
 */
export async function advanceHold(
  { client, tableName }: HoldsTable,
  aggregateKey: string,
  { from, to }: { from: number; to: number },
  abortSignal?: AbortSignal,
): Promise<void> {
  const update = new UpdateItemCommand({
    TableName: tableName,
    Key: { aggregateKey: { S: aggregateKey } },
    UpdateExpression: "SET #next = :to",
    ConditionExpression: "#next = :from",
    ExpressionAttributeNames: { "#next": "next" },
    ExpressionAttributeValues: { ":from": number(from), ":to": number(to) },
  });
  await unlessConditionFails(client.send(update, abortSignal ? { abortSignal } : {}));
}

async function unlessConditionFails(write: Promise<unknown>): Promise<void> {
  await write.catch((error: unknown) => {
    if (errorCode(error) !== "ConditionalCheckFailedException") throw error;
  });
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

function number(value: number): AttributeValue {
  return { N: String(value) };
}
