import {
  type ColumnNode,
  IdentifierNode,
  type Kysely,
  type KyselyPlugin,
  OperationNodeTransformer,
} from "kysely";
import type { Row } from "../define/change";
import type { Columns } from "./columns";

/** Lets Kysely's builders use a table's field names: columns in queries, fields in results. Only for a module's own builders. */
export function withFieldNames<DB>(db: Kysely<DB>, columns: Columns): Kysely<DB> {
  const fields = Object.fromEntries(Object.entries(columns).map(([field, column]) => [column, field]));
  // Declared here, because a class of a module would not survive the packaging of a function (docs/handlers.md).
  // eslint-disable-next-line no-restricted-syntax
  class FieldNames extends OperationNodeTransformer {
    protected override transformColumn(node: ColumnNode): ColumnNode {
      const column = columns[node.column.name];
      return column === undefined ? node : { ...node, column: IdentifierNode.create(column) };
    }
  }
  const names = new FieldNames();
  const plugin: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => names.transformNode(node, queryId),
    transformResult: ({ result }) =>
      Promise.resolve({ ...result, rows: result.rows.map((row) => toFields(fields, row)) }),
  };
  return db.withPlugin(plugin);
}

/** Columns with their values -> fields with their values; other names of a result stay as they are. */
function toFields(fields: Columns, row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [fields[column] ?? column, value]));
}
