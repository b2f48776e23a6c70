import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { Row } from "../define/change";
import type { AnyTable } from "../define/table";
import { withSchemasMadeOnce } from "../store/made-once";
import { validKey } from "../store/validation";
import { tableHandle } from "../store/verbs";
import { queryIndex } from "./query";

/**
 * Makes the handle of an entity table; `TableHandle` is its type as commands see it.
 *
 * @param table the name that it is registered by
 * @param tableName its physical name
 */
export function dynamoHandle(
  documents: DynamoDBDocumentClient,
  table: string,
  tableName: string,
  declared: AnyTable,
) {
  const definition = withSchemasMadeOnce(declared);
  const { aggregate, indexes } = definition;
  return tableHandle(table, definition, {
    async find(id) {
      validKey(aggregate, id);
      const Key = { [aggregate.key]: id };
      const read = new GetCommand({ TableName: tableName, Key, ConsistentRead: true });
      return living((await documents.send(read)).Item);
    },
    async where(index, value) {
      const items = await queryIndex(documents, { tableName, index, attribute: index, value, indexes });
      return items.filter((item) => living(item));
    },
  });
}

/** The item, unless it is what is left of one that was removed. */
function living(item: Row | undefined): Row | undefined {
  return item?.["removed"] ? undefined : item;
}
