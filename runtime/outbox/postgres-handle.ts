import type { Kysely } from "kysely";
import type { AnyPostgresTable } from "../entity-table";
import type { StagedPostgresChange } from "../staged-change";
import type { AnyDatabase } from "./postgres-statement";

/** Makes the handle of an entity table; `PostgresHandle` is its type as commands see it. */
export function postgresHandle(db: Kysely<AnyDatabase>, table: string, definition: AnyPostgresTable) {
  const key = definition.columns[definition.aggregate.key] as string;
  return {
    find: (id: string) => db.selectFrom(table).selectAll().where(key, "=", id).executeTakeFirst(),
    select: () => db.selectFrom(table),
    change: (
      type: string,
      change: unknown,
      describe: StagedPostgresChange["describe"],
    ): StagedPostgresChange => ({
      kind: "postgres-change",
      table,
      definition,
      type,
      change,
      describe,
    }),
  };
}
