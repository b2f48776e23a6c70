import { CompiledQuery, type Kysely, type QueryResult } from "kysely";
import { escapeIdentifier } from "pg";
import type { Row, StagedKyselyChange } from "../define/change";
import type { AnyTable } from "../define/table";
import { codedError, errorCode } from "../function/coded-error";
import { withSchemasMadeOnce } from "../store/made-once";
import { tableHandle, unraised } from "../store/verbs";
import { columnsOf, VERSION } from "./columns";
import { withFieldNames } from "./field-names";
import { checkTexts, isRefusedValue, refusedValue } from "./refused-value";
import type { AnyDatabase } from "./statement";

/** Makes the handle of an entity table; `TableHandle` is its type as commands see it. */
export function postgresHandle(db: Kysely<AnyDatabase>, table: string, declared: AnyTable) {
  const columns = columnsOf(declared);
  const definition = withSchemasMadeOnce({ ...declared, columns: columns.all });
  const selected = [...Object.entries(columns.all), [VERSION, VERSION] as const]
    .map(([field, column]) => `${escapeIdentifier(column)} as ${escapeIdentifier(field)}`)
    .join(", ");
  const rowsWith = async (column: string, value: string): Promise<Row[]> => {
    const what = `The ${column} to find in "${table}"`;
    checkTexts(what, [value]);
    const text = `select ${selected} from ${escapeIdentifier(table)} where ${escapeIdentifier(column)} = $1`;
    try {
      const result: QueryResult<Row> = await db.executeQuery(CompiledQuery.raw(text, [value]));
      return result.rows;
    } catch (error) {
      if (!isRefusedValue(error)) throw error;
      throw refusedValue(what, `SQLSTATE ${errorCode(error)}`, error);
    }
  };
  return tableHandle(table, definition, {
    find: async (id) => (await rowsWith(columns.key, id))[0],
    async where(index, value) {
      const column = declared.indexes.includes(index) ? columns.all[index] : undefined;
      if (column === undefined) throw indexUnknown(table, index);
      return rowsWith(column, value);
    },
  });
}

/** Makes the handle of a table with Kysely's own builders; `KyselyHandle` is its type as commands see it. */
export function kyselyHandle(db: Kysely<AnyDatabase>, table: string, declared: AnyTable) {
  const columns = columnsOf(declared);
  const named = withFieldNames(db, table, columns.all);
  const definition = withSchemasMadeOnce({ ...declared, columns: columns.all });
  return {
    ...postgresHandle(db, table, declared),
    select: () => named.selectFrom(table),
    change: (describe: StagedKyselyChange["describe"]) =>
      unraised({ table, definition, operation: "kysely", describe }),
  };
}

function indexUnknown(table: string, index: string) {
  return codedError(
    "INDEX_UNKNOWN",
    `The table "${table}" has no index "${index}". Name it under \`indexes\` where the table is declared.`,
  );
}
