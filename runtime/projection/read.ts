import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { ProjectionHandle } from "../define/handles";
import type { AnyProjection } from "../define/project";
import { queryIndex } from "../dynamodb/query";
import { ID_RULE, isId } from "../envelope/identifier";
import { codedError } from "../function/coded-error";
import { found } from "../store/verbs";
import { indexAttribute, type ProjectedItem } from "./write";

/** Makes the handle that commands and reactions read a projection with. */
export function projectionHandle(
  documents: DynamoDBDocumentClient,
  tableName: string,
  { aggregate, indexes }: AnyProjection,
): ProjectionHandle<Record<string, unknown>> {
  const find = async (id: string) => {
    if (!isId(id)) {
      throw codedError("INVALID_KEY", `The key of a projection is ${ID_RULE}. Ask for another.`);
    }
    const read = new GetCommand({ TableName: tableName, Key: { aggregateId: id }, ConsistentRead: true });
    const item = (await documents.send(read)).Item as ProjectedItem | undefined;
    return item?.fields;
  };
  return {
    find,
    get: (id) => found(find(id), aggregate, id),
    async where(index, value) {
      const lookup = { tableName, index, attribute: indexAttribute(index), value, indexes };
      const items = (await queryIndex(documents, lookup)) as unknown as ProjectedItem[];
      return items.flatMap(({ fields }) => (fields ? [fields] : []));
    },
  };
}
