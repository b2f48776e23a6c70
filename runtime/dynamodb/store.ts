import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { mapIn } from "../function/environment";
import { projectionHandle } from "../projection/read";
import { handlesMadeOnce } from "../store/made-once";
import type { Store, StoreOpener } from "../store/store";
import { codedError } from "../function/coded-error";
import { documentClient } from "./client";
import { commitToDynamo } from "./commit";
import { dynamoHandle } from "./handle";
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

/** The name of one of them. */
export type DynamoVariable = (typeof VARIABLES)[number];

/** Opens a microservice's tables. */
export const dynamoStore: StoreOpener<DynamoVariable> = {
  variables: VARIABLES,
  open(environment) {
    const tables = {
      entities: mapIn("ENTITY_TABLES", environment.ENTITY_TABLES),
      outbox: environment.OUTBOX_TABLE,
      inbox: environment.INBOX_TABLE,
      outboxRetentionDays: Number(environment.OUTBOX_RETENTION_DAYS),
      inboxRetentionDays: Number(environment.INBOX_RETENTION_DAYS),
    };
    return storeOn(documentClient(), tables, mapIn("PROJECTION_TABLES", environment.PROJECTION_TABLES));
  },
};

/**
 * Makes the store of a function on tables that are open.
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
