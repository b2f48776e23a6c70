import { documentClient } from "../dynamodb/client";
import { type Environment, mapIn } from "../function/environment";
import type { AnyProjection } from "../define/project";
import { projectionHandle } from "./read";

/** Opens a monolith module's projections, which are in DynamoDB. */
export function openProjections({ PROJECTION_TABLES }: Environment<"PROJECTION_TABLES">) {
  const documents = documentClient();
  const tables = mapIn("PROJECTION_TABLES", PROJECTION_TABLES);
  return (name: string, projection: AnyProjection) =>
    projectionHandle(documents, tables[name] ?? "", projection);
}
