import { documentClient } from "../document-client";
import type { AnyDynamoTable } from "../entity-table";
import { ENVIRONMENT, requiredVariable, variableMap } from "../environment";
import { commitToDynamo } from "../outbox/dynamodb";
import { dynamoHandle } from "../outbox/dynamodb-handle";
import { readCommittedRequest } from "../outbox/dynamodb-inbox";
import { withSchemasMadeOnce } from "../outbox/made-once";
import { projectionHandle } from "../projection/read";
import type { Store } from "../staged-change";
import type { AnyProjection } from "../project";
import { handlesOnce } from "./handles-once";

/** Opens a microservice's tables, as the function's environment names them. */
export function openDynamoStore(): Store {
  const documents = documentClient();
  const entities = variableMap(ENVIRONMENT.entityTables);
  const projections = variableMap(ENVIRONMENT.projectionTables);
  const tables = {
    entities,
    outbox: requiredVariable(ENVIRONMENT.outboxTable),
    inbox: requiredVariable(ENVIRONMENT.inboxTable),
    outboxRetentionDays: Number(requiredVariable(ENVIRONMENT.outboxRetentionDays)),
    inboxRetentionDays: Number(requiredVariable(ENVIRONMENT.inboxRetentionDays)),
  };
  const handleOf = (name: string, used: AnyDynamoTable | AnyProjection) =>
    used.kind === "project"
      ? projectionHandle(documents, projections[name] ?? "")
      : dynamoHandle(documents, name, entities[name] ?? "", withSchemasMadeOnce(used));
  return {
    handles: handlesOnce(handleOf),
    commit: (changes, context) => commitToDynamo(documents, tables, changes, context),
    committedRequest: (once) => readCommittedRequest(documents, tables.inbox, once),
  };
}
