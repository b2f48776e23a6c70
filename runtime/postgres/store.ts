import { Kysely, PostgresDialect } from "kysely";
import { codedError } from "../function/coded-error";
import type { AnyPostgresTable } from "../define/table";
import type { ProjectionHandle } from "../define/handles";
import { withSchemasMadeOnce } from "../store/made-once";
import { commitToPostgres } from "./commit";
import { readCommittedRequest } from "./inbox";
import { postgresHandle } from "./handle";
import type { AnyDatabase } from "./statement";
import type { Store } from "../store/store";
import type { AnyProjection } from "../define/project";
import { handlesOnce } from "../store/handles-once";
import { openPool } from "./pool";

/** Makes the handle of a projection by the name that it is registered by. */
export type ProjectionOpener = () => (name: string) => ProjectionHandle<Record<string, unknown>>;

/**
 * Opens the monolith's database, as the function's environment names it.
 *
 * @param openProjections given where the module has projections: they are in DynamoDB, whose client is only then packaged
 */
export function openPostgresStore(openProjections?: ProjectionOpener): Store {
  const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool: openPool }) });
  const projection = openProjections?.();
  const handleOf = (name: string, used: AnyPostgresTable | AnyProjection) => {
    if (used.kind === "postgres-table") return postgresHandle(db, name, withSchemasMadeOnce(used));
    if (projection) return projection(name);
    throw codedError("PROJECTION_UNKNOWN", `"${name}" is used but the module registers no such projection.`);
  };
  return {
    handles: handlesOnce(handleOf),
    commit: (changes, context) => commitToPostgres(db, changes, context),
    committedRequest: (once) => readCommittedRequest(db, once),
  };
}
