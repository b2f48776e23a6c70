import { documentClient } from "../dynamodb/client";
import { ENVIRONMENT, variableMap } from "../function/environment";
import { projectionHandle } from "./read";

/** Opens a monolith module's projections, which are in DynamoDB. */
export function openProjections() {
  const documents = documentClient();
  const tables = variableMap(ENVIRONMENT.projectionTables);
  return (name: string) => projectionHandle(documents, tables[name] ?? "");
}
