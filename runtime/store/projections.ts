import { documentClient } from "../document-client";
import { ENVIRONMENT, variableMap } from "../environment";
import { projectionHandle } from "../projection/read";

/** Opens a monolith module's projections, which are in DynamoDB. */
export function openProjections() {
  const documents = documentClient();
  const tables = variableMap(ENVIRONMENT.projectionTables);
  return (name: string) => projectionHandle(documents, tables[name] ?? "");
}
