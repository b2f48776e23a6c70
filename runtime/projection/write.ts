import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { isIndexKey } from "../dynamodb/item";
import { errorCode } from "../function/coded-error";

/** An aggregate as a projection keeps it. Without fields it is a tombstone: gone, at that version. */
export interface ProjectedItem {
  aggregateId: string;
  version: number;
  /** ISO 8601: when the event happened that brought it here. */
  occurredAt: string;
  /** The event that brought it here. */
  eventId: string;
  fields?: Record<string, unknown>;
}

/** The attribute that an index on a field is on: a copy beside `fields`, because DynamoDB has no index on a part of an attribute. */
export function indexAttribute(field: string): string {
  return `by_${field}`;
}

/** What indexes are on, of the fields that can be an index's key; an item without one is not in that index. */
export function indexAttributes(
  indexes: readonly string[],
  fields: Record<string, unknown>,
): Record<string, unknown> {
  const keys = indexes.filter((field) => isIndexKey(fields[field]));
  return Object.fromEntries(keys.map((field) => [indexAttribute(field), fields[field]]));
}

/** "stale": what is there is as new or newer, and was left as it is. */
export type WriteOutcome = "written" | "stale";

/**
 * Writes one aggregate into a projection, unless the projection has the same or a newer version of it: a single conditional write,
 * so that duplicates, reordering and replays all end in the same state. A tombstone keeps its version too, so a late older event
 * cannot bring the aggregate back.
 */
export async function writeProjection(
  documents: DynamoDBDocumentClient,
  tableName: string,
  item: ProjectedItem,
): Promise<WriteOutcome> {
  try {
    await documents.send(
      new PutCommand({
        TableName: tableName,
        Item: item,
        ConditionExpression: "attribute_not_exists(#version) OR #version < :version",
        ExpressionAttributeNames: { "#version": "version" },
        ExpressionAttributeValues: { ":version": item.version },
      }),
    );
    return "written";
  } catch (error) {
    if (errorCode(error) === "ConditionalCheckFailedException") return "stale";
    throw error;
  }
}
