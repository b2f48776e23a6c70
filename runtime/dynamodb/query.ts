import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Row } from "../define/change";
import { codedError } from "../function/coded-error";
import { INDEX_KEY_RULE, isIndexKey } from "./item";

/** A lookup by a global secondary index. */
export interface IndexLookup {
  tableName: string;
  /** The index, which is named like its field. */
  index: string;
  /** The attribute that the index is on. */
  attribute: string;
  value: string;
  /** The indexes there are. */
  indexes: readonly string[];
}

/**
 * Reads all items whose indexed attribute has a value; eventually consistent, as every global secondary index is.
 *
 * @throws INDEX_UNKNOWN, INVALID_KEY, and the SDK's own errors
 */
export async function queryIndex(
  documents: DynamoDBDocumentClient,
  { tableName, index, attribute, value, indexes }: IndexLookup,
): Promise<Row[]> {
  if (!indexes.includes(index)) {
    throw codedError(
      "INDEX_UNKNOWN",
      `There is no index "${index}"; there are: ${indexes.join(", ") || "none"}. Name it under \`indexes\` where the table or projection is declared.`,
    );
  }
  if (!isIndexKey(value)) {
    throw codedError("INVALID_KEY", `The ${index} to look for is not ${INDEX_KEY_RULE}. Ask for another.`);
  }
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
