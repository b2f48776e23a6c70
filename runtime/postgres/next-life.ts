import { type Kysely, sql } from "kysely";
import { aggregateName } from "../define/aggregate";
import type { StagedPostgresChange } from "../store/store";
import { type AnyDatabase, describedChange } from "./statement";

/**
 * Looks whether new rows that met a conflict bear the keys of rows that were deleted, and stages them again on top of those rows' last
 * versions. A key is used for the first time almost always, so nobody pays for the look before there is a conflict.
 *
 * @returns undefined when none of them had an earlier life that it was not staged on top of already
 */
export async function withNextLives<S extends StagedPostgresChange>(
  db: Kysely<AnyDatabase>,
  staged: readonly S[],
): Promise<S[] | undefined> {
  const restaged = await Promise.all(
    staged.map(async (change) => ({ ...change, lastVersion: await lastVersionOf(db, change) })),
  );
  const found = restaged.some(({ lastVersion }, index) => lastVersion !== (staged[index]?.lastVersion ?? 0));
  return found ? restaged : undefined;
}

async function lastVersionOf(db: Kysely<AnyDatabase>, staged: StagedPostgresChange): Promise<number> {
  const { table, definition } = staged;
  const { operation, values } = describedChange(db, staged);
  if (operation !== "insert") return 0;
  const key = definition.columns[definition.aggregate.key] as string;
  // As the key's column spells it, which is how the last version is kept: a uuid may be given in capitals.
  const spelled = sql`(select ${sql.ref(key)} from ${sql.table(table)} where false union all select ${values[key]})::text`;
  const { rows } = await sql<{ version: number }>`
    select version from deleted_aggregates
    where aggregate = ${aggregateName(definition.aggregate)} and aggregate_id = ${spelled}`.execute(db);
  return rows[0]?.version ?? 0;
}
