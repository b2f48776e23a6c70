import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Row } from "../define/change";
import { isIndexKey } from "./item";

/** A document client that omits undefined fields, as JSON does. */
export function documentClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({}), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** A lookup by a global secondary index. */
export interface IndexLookup {
  tableName: string;
  /** The index, which has the name of its field. */
  index: string;
  /** The attribute that is the index's key. */
  attribute: string;
  value: string;
}

/**
 * Reads all items whose indexed attribute has a value; eventually consistent, as every global secondary index
 * is.
 *
 * @throws the SDK's own errors
 */
export async function queryIndex(
  documents: DynamoDBDocumentClient,
  { tableName, index, attribute, value }: IndexLookup,
): Promise<Row[]> {
  // No item can have it: the answer is the same as PostgreSQL's.
  if (!isIndexKey(value)) return [];
  const items: Row[] = [];
  let start: Row | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: index,
        KeyConditionExpression: "#field = :value",
        ExpressionAttributeNames: { "#field": attribute },
        ExpressionAttributeValues: { ":value": value },
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start);
  return items;
}
