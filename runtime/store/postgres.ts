import { Kysely, PostgresDialect } from "kysely";
import { codedError } from "../coded-error";
import type { AnyPostgresTable } from "../entity-table";
import type { ProjectionHandle } from "../handles";
import { withSchemasMadeOnce } from "../outbox/made-once";
import { commitToPostgres } from "../outbox/postgres";
import { readCommittedRequest } from "../outbox/postgres-inbox";
import { postgresHandle } from "../outbox/postgres-handle";
import type { AnyDatabase } from "../outbox/postgres-statement";
import type { Store } from "../staged-change";
import type { AnyProjection } from "../project";
import { handlesOnce } from "./handles-once";
import { openPool } from "./postgres-pool";

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
