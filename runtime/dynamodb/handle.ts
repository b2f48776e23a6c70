import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { codedError } from "../function/coded-error";
import { INDEX_KEY_RULE, isIndexKey } from "./item";
import type { AnyDynamoTable } from "../define/table";
import type { StagedDynamoChange } from "../store/store";
import { validKey } from "../store/validation";

type Item = Record<string, unknown>;

/**
 * Makes the handle of an entity table; `DynamoHandle` is its type as commands see it.
 *
 * @param table the name it is registered by
 * @param tableName its physical name
 */
export function dynamoHandle(
  documents: DynamoDBDocumentClient,
  table: string,
  tableName: string,
  definition: AnyDynamoTable,
) {
  const { key } = definition.aggregate;
  const stage = (
    operation: StagedDynamoChange["operation"],
    type: string,
    change: unknown,
    item: Item,
  ): StagedDynamoChange => {
    const { version = 0, ...fields } = item;
    return {
      kind: "dynamo-change",
      operation,
      table,
      definition,
      type,
      change,
      item: fields,
      version: version as number,
    };
  };
  return {
    async find(id: string): Promise<Item | undefined> {
      validKey(definition.aggregate, id);
      const read = new GetCommand({ TableName: tableName, Key: { [key]: id }, ConsistentRead: true });
      return living((await documents.send(read)).Item);
    },
    async where(index: string, value: string): Promise<Item[]> {
      if (!isIndexKey(value))
        throw codedError(
          "INVALID_KEY",
          `The ${index} to look for is not ${INDEX_KEY_RULE}. Ask for another.`,
        );
      const items: Item[] = [];
      let start: Item | undefined;
      do {
        const page = await documents.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: index,
            KeyConditionExpression: "#field = :value",
            ExpressionAttributeNames: { "#field": index },
            ExpressionAttributeValues: { ":value": value },
            ...(start ? { ExclusiveStartKey: start } : {}),
          }),
        );
        items.push(...(page.Items ?? []).filter((item) => living(item)));
        start = page.LastEvaluatedKey;
      } while (start);
      return items;
    },
    create: (type: string, change: unknown, item: Item) =>
      stage("create", type, change, { ...item, version: 0 }),
    update(type: string, change: unknown, item: Item, fields: Item) {
      const id = fields[key] ?? item[key];
      if (id !== item[key]) throw keyChanged(definition, item[key], id);
      return stage("update", type, change, { ...item, ...fields, [key]: id, version: item["version"] });
    },
    remove: (type: string, change: unknown, item: Item) => stage("remove", type, change, item),
  };
}

/** Written under another key, the item would replace another aggregate that happens to have the same version. */
function keyChanged({ aggregate }: AnyDynamoTable, from: unknown, to: unknown) {
  return codedError(
    "KEY_CHANGED",
    `The ${aggregate.key} of ${aggregate.name} "${String(from)}" cannot change (to "${String(to)}"). Remove the aggregate and create another one: consumers know it by its key.`,
  );
}

/** The item, unless it is what is left of one that was removed. */
function living(item: Item | undefined): Item | undefined {
  return item?.removed ? undefined : item;
}
