import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { ProjectionHandle } from "../define/handles";
import type { AnyProjection } from "../define/project";
import { documentClient, queryIndex } from "../dynamodb/documents";
import { isIndexKey } from "../dynamodb/item";
import { errorCode } from "../function/coded-error";
import type { Environment } from "../function/handler";
import { readTableNames } from "../function/table-names";
import { checkIndex, checkIsText, found, isHeldId } from "../store/handles";

/** An item of a projection. Without fields it is a tombstone: the aggregate is gone, as of that version. */
export interface ProjectedItem {
  aggregateId: string;
  version: number;
  /** Time of the event that was projected, ISO 8601. */
  occurredAt: string;
  /** Id of the event that was projected. */
  eventId: string;
  fields?: Record<string, unknown>;
}

/** "stale": the projection already had this version or a newer one, and was left unchanged. */
export type WriteOutcome = "written" | "stale";

/**
 * Writes one aggregate into a projection, unless the projection has the same or a newer version of it. A
 * single conditional write, so projections converge despite duplicates, reordering and replays. A tombstone
 * keeps its version too, so a late older event cannot bring the aggregate back.
 *
 * @throws the SDK's own errors
 */
export async function writeProjection(
  documents: DynamoDBDocumentClient,
  tableName: string,
  item: ProjectedItem,
  abortSignal?: AbortSignal,
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
      abortSignal ? { abortSignal } : {},
    );
    return "written";
  } catch (error) {
    if (errorCode(error) === "ConditionalCheckFailedException") return "stale";
    throw error;
  }
}

/** Opens the projections of a monolith module, which are DynamoDB tables. */
export function openProjections({ PROJECTION_TABLES }: Environment<"PROJECTION_TABLES">) {
  const documents = documentClient();
  const tables = readTableNames("PROJECTION_TABLES", PROJECTION_TABLES);
  return (name: string, projection: AnyProjection) =>
    projectionHandle(documents, tables[name] ?? "", projection);
}

/** Makes the handle that commands and reactions read a projection with. */
export function projectionHandle(
  documents: DynamoDBDocumentClient,
  tableName: string,
  { aggregate, indexes }: AnyProjection,
): ProjectionHandle<Record<string, unknown>> {
  const find = async (id: string) => {
    if (!isHeldId(aggregate, id)) return undefined;
    const read = new GetCommand({ TableName: tableName, Key: { aggregateId: id }, ConsistentRead: true });
    const item = (await documents.send(read)).Item as ProjectedItem | undefined;
    return item?.fields;
  };
  return {
    find,
    get: (id) => found(find(id), aggregate, id),
    async where(index, value) {
      checkIndex(`The projection of ${aggregate.name}`, indexes, index);
      checkIsText(`The ${index} to find in the projection of ${aggregate.name}`, value);
      const lookup = { tableName, index, attribute: indexAttribute(index), value };
      const items = (await queryIndex(documents, lookup)) as unknown as ProjectedItem[];
      return items.flatMap(({ fields }) => (fields ? [fields] : []));
    },
  };
}

/**
 * The attribute of an index: a copy beside `fields`, because DynamoDB cannot index a part of an attribute.
 */
export function indexAttribute(field: string): string {
  return `by_${field}`;
}

/**
 * The index attributes of an item. A field that cannot be an index's key is left out, so the item is not in
 * that index.
 */
export function indexAttributes(
  indexes: readonly string[],
  fields: Record<string, unknown>,
): Record<string, unknown> {
  const keys = indexes.filter((field) => isIndexKey(fields[field]));
  return Object.fromEntries(keys.map((field) => [indexAttribute(field), fields[field]]));
}
