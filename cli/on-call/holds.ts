import { DeleteItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { errorCode } from "../../runtime/function/coded-error";
import type { RunningSystem } from "../running-system";
import type { QuarantinedRecord } from "./quarantined-records";

/*
 * A relay publishes of a held aggregate only the version that its hold names (runtime/relay/holds.ts). These
 * functions let the aggregate go on where versions before the quarantined ones never come.
 */

type Clients = Pick<RunningSystem["clients"], "dynamodb">;

/**
 * Lets the first version of a record's aggregate that is in quarantine pass.
 *
 * @param all the records in the quarantine
 * @throws the SDK's own errors
 */
export async function raiseHold(
  { dynamodb }: Clients,
  tableName: string,
  { aggregateKey }: QuarantinedRecord,
  all: readonly QuarantinedRecord[],
): Promise<void> {
  const first = firstVersion(aggregateKey, all);
  if (aggregateKey === undefined || first === undefined) return;
  const raise = new UpdateItemCommand({
    TableName: tableName,
    Key: { aggregateKey: { S: aggregateKey } },
    UpdateExpression: "SET #next = :first",
    ConditionExpression: "#next < :first",
    ExpressionAttributeNames: { "#next": "next" },
    ExpressionAttributeValues: { ":first": { N: String(first) } },
  });
  await dynamodb.send(raise).catch((error: unknown) => {
    if (errorCode(error) !== "ConditionalCheckFailedException") throw error;
  });
}

/**
 * Moves the hold of a record's aggregate behind the record: to the first version that remains in quarantine.
 * Where none remains, the aggregate is no longer held.
 *
 * @param remaining the other records in the quarantine
 * @throws the SDK's own errors
 */
export async function moveHold(
  clients: Clients,
  tableName: string,
  record: QuarantinedRecord,
  remaining: readonly QuarantinedRecord[],
): Promise<void> {
  const { aggregateKey } = record;
  if (aggregateKey === undefined) return;
  if (firstVersion(aggregateKey, remaining) !== undefined) {
    await raiseHold(clients, tableName, record, remaining);
    return;
  }
  const Key = { aggregateKey: { S: aggregateKey } };
  await clients.dynamodb.send(new DeleteItemCommand({ TableName: tableName, Key }));
}

function firstVersion(
  aggregateKey: string | undefined,
  records: readonly QuarantinedRecord[],
): number | undefined {
  const versions = records.flatMap((record) =>
    aggregateKey !== undefined && record.aggregateKey === aggregateKey ? (record.version ?? []) : [],
  );
  return versions.length > 0 ? Math.min(...versions) : undefined;
}
