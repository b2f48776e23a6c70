import { Kysely, PostgresDialect } from "kysely";
import type { ProjectionHandle } from "../define/handles";
import type { AnyProjection } from "../define/project";
import { codedError } from "../function/coded-error";
import type { Environment } from "../function/environment";
import { handlesMadeOnce } from "../store/made-once";
import type { Store, StoreOpener } from "../store/store";
import { commitToPostgres } from "./commit";
import { kyselyHandle, postgresHandle } from "./handle";
import { readCommittedRequest } from "./inbox";
import { openPool, POOL_VARIABLES, type PoolVariable } from "./pool";
import type { AnyDatabase } from "./statement";

/** Makes the handle of a projection by the name that it is registered by. */
export type ProjectionOpener = (
  environment: Environment<"PROJECTION_TABLES">,
) => (name: string, projection: AnyProjection) => ProjectionHandle<Record<string, unknown>>;

/**
 * Opens the monolith's database.
 *
 * @param openProjections given where the module has projections: they are in DynamoDB, whose client is only then packaged
 */
export function postgresStore(
  openProjections?: ProjectionOpener,
): StoreOpener<PoolVariable | "PROJECTION_TABLES"> {
  return {
    variables: [...POOL_VARIABLES, "PROJECTION_TABLES"],
    open(environment) {
      const pool = () => openPool(environment);
      const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool }) });
      return storeOn(db, openProjections?.(environment));
    },
  };
}

/**
 * Makes the store of a function on a database that is open.
 *
 * @param projection makes the handle of a projection by its name; given where the module has projections
 */
export function storeOn(db: Kysely<AnyDatabase>, projection?: ReturnType<ProjectionOpener>): Store {
  const handles = handlesMadeOnce((name, used) => {
    if (used.kind === "table") return postgresHandle(db, name, used);
    if (used.kind === "kysely-table") return kyselyHandle(db, name, used.table);
    if (projection) return projection(name, used);
    throw codedError("PROJECTION_UNKNOWN", `"${name}" is used but the module registers no such projection.`);
  });
  return {
    handles,
    commit: (changes, context) => commitToPostgres(db, changes, context),
    committedRequest: (once) => readCommittedRequest(db, once),
  };
}
