import { type Kysely, sql } from "kysely";
import type { Conflict } from "../store/store";
import { columnsOf } from "./columns";
import { type AnyDatabase, describeChange, type IdentifiedChange } from "./statement";

/** A change whose row was not at the version that it builds on. */
export function conflictOf({ definition }: IdentifiedChange): Conflict {
  const aggregate = definition.aggregate.name;
  const message = `The ${aggregate} was changed by another request since it was read. Nothing was written. Read it again.`;
  return { outcome: "conflict", aggregate, message };
}

/**
 * Finds out why creations ended in a conflict. Almost every key is used for the first time, so this is looked
 * up only after a conflict.
 *
 * @returns `reborn`: all changes, on top of the last versions of earlier lives, if that is new information;
 *   `existing`: the first aggregate that was to be created and exists
 */
export async function explainConflict(db: Kysely<AnyDatabase>, changes: readonly IdentifiedChange[]) {
  let isReborn = false;
  let existing: Required<Pick<Conflict, "aggregate" | "existing">> | undefined;
  const reborn: IdentifiedChange[] = [];
  for (const change of changes) {
    const { table, definition, lastVersion = 0 } = change;
    const { operation, key, updatesExisting } = describeChange(db, change).described;
    if (operation !== "insert") {
      reborn.push(change);
      continue;
    }
    const aggregate = definition.aggregate.name;
    const column = columnsOf(definition).key;
    // In the spelling of the key's column, by which the last version is kept: a uuid may be given in
    // capitals.
    const spelled = sql`(select ${sql.ref(column)} from ${sql.table(table)} where false union all select ${key})::text`;
    const { rows } = await sql<{ version: number | null; exists: boolean }>`
      select (select version from deleted_aggregates
               where aggregate = ${aggregate} and aggregate_id = ${spelled}) as version,
             exists (select from ${sql.table(table)} where ${sql.ref(column)} = ${key}) as exists`.execute(
      db,
    );
    const version = rows[0]?.version ?? 0;
    if (rows[0]?.exists && !updatesExisting) existing ??= { aggregate, existing: String(key) };
    isReborn ||= version !== lastVersion;
    reborn.push({ ...change, lastVersion: version });
  }
  return { reborn: isReborn ? reborn : undefined, existing };
}
