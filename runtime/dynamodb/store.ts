import { documentClient } from "./client";
import type { AnyDynamoTable } from "../define/table";
import { ENVIRONMENT, requiredVariable, variableMap } from "../function/environment";
import { commitToDynamo } from "./commit";
import { dynamoHandle } from "./handle";
import { readCommittedRequest } from "./inbox";
import { withSchemasMadeOnce } from "../store/made-once";
import { projectionHandle } from "../projection/read";
import type { Store } from "../store/store";
import type { AnyProjection } from "../define/project";
import { handlesOnce } from "../store/handles-once";

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
