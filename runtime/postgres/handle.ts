import type { Kysely } from "kysely";
import type { AnyPostgresTable } from "../define/table";
import { errorCode } from "../function/coded-error";
import type { StagedPostgresChange } from "../store/store";
import type { AnyDatabase } from "./statement";
import { checkTexts, isRefusedValue, refusedValue } from "./refused-value";

/** Makes the handle of an entity table; `PostgresHandle` is its type as commands see it. */
export function postgresHandle(db: Kysely<AnyDatabase>, table: string, definition: AnyPostgresTable) {
  const key = definition.columns[definition.aggregate.key] as string;
  return {
    async find(id: string) {
      checkTexts(`The ${key} to find in "${table}"`, [id]);
      try {
        return await db.selectFrom(table).selectAll().where(key, "=", id).executeTakeFirst();
      } catch (error) {
        if (!isRefusedValue(error)) throw error;
        throw refusedValue(`The ${key} to find in "${table}"`, `SQLSTATE ${errorCode(error)}`, error);
      }
    },
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
