import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { Row } from "../define/change";
import type { AnyTable } from "../define/table";
import { codedError } from "../function/coded-error";
import { readTableNames } from "../function/table-names";
import { projectionHandle } from "../projection/table";
import { handlesMadeOnce, tableHandle, withSchemasMadeOnce } from "../store/handles";
import { rowOf } from "../store/spelling";
import type { Store, StoreOpener } from "../store/store";
import { commitToDynamo } from "./commit";
import { documentClient, queryIndex } from "./documents";
import { readCommittedRequest } from "./inbox";
import type { DynamoTables } from "./writes";

/** The variables that name a microservice's tables. */
const VARIABLES = [
  "ENTITY_TABLES",
  "PROJECTION_TABLES",
  "OUTBOX_TABLE",
  "INBOX_TABLE",
  "OUTBOX_RETENTION_DAYS",
  "INBOX_RETENTION_DAYS",
] as const;

/** The name of one of these variables. */
export type DynamoVariable = (typeof VARIABLES)[number];

/** Opens a microservice's tables. */
export const dynamoStore: StoreOpener<DynamoVariable> = {
  variables: VARIABLES,
  open(environment) {
    const tables = {
      entities: readTableNames("ENTITY_TABLES", environment.ENTITY_TABLES),
      outbox: environment.OUTBOX_TABLE,
      inbox: environment.INBOX_TABLE,
      outboxRetentionDays: Number(environment.OUTBOX_RETENTION_DAYS),
      inboxRetentionDays: Number(environment.INBOX_RETENTION_DAYS),
    };
    return storeOn(
      documentClient(),
      tables,
      readTableNames("PROJECTION_TABLES", environment.PROJECTION_TABLES),
    );
  },
};

/**
 * Makes the store of a function on open tables.
 *
 * @param projections projection as registered -> the physical name of its table
 */
export function storeOn(
  documents: DynamoDBDocumentClient,
  tables: DynamoTables,
  projections: Record<string, string>,
): Store {
  const handles = handlesMadeOnce((name, used) => {
    if (used.kind === "project") return projectionHandle(documents, projections[name] ?? "", used);
    if (used.kind === "table") return dynamoHandle(documents, name, tables.entities[name] ?? "", used);
    throw codedError(
      "KYSELY_UNKNOWN",
      `"${name}" is used with Kysely, but a microservice has no PostgreSQL tables.`,
    );
  });
  return {
    handles,
    commit: (changes, context) => commitToDynamo(documents, tables, changes, context),
    committedRequest: (once) => readCommittedRequest(documents, tables.inbox, once),
  };
}

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
  const { aggregate, fields } = definition;
  // The row of an item, unless it is the tombstone of a removed aggregate.
  const living = (item: Row | undefined): Row[] =>
    item && !item["removed"] ? [{ ...rowOf(fields.all, item), version: item["version"] }] : [];
  return tableHandle(table, definition, {
    async find(id) {
      const Key = { [aggregate.key]: id };
      const read = new GetCommand({ TableName: tableName, Key, ConsistentRead: true });
      return living((await documents.send(read)).Item)[0];
    },
    async where(index, value) {
      const items = await queryIndex(documents, { tableName, index, attribute: index, value });
      return items.flatMap(living);
    },
  });
}
