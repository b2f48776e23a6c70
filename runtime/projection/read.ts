import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { codedError } from "../function/coded-error";
import type { ProjectionHandle } from "../define/handles";
import { ID_RULE, isId } from "../envelope/identifier";
import type { ProjectedItem } from "./write";

/** Makes the handle that commands and reactions read a projection with. */
export function projectionHandle(
  documents: DynamoDBDocumentClient,
  tableName: string,
): ProjectionHandle<Record<string, unknown>> {
  return {
    async find(id) {
      if (!isId(id))
        throw codedError("INVALID_KEY", `The key of a projection is ${ID_RULE}. Ask for another.`);
      const read = new GetCommand({ TableName: tableName, Key: { aggregateId: id }, ConsistentRead: true });
      const item = (await documents.send(read)).Item as ProjectedItem | undefined;
      return item?.fields;
    },
  };
}
