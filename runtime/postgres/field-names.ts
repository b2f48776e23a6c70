import {
  AliasNode,
  ColumnNode,
  ColumnUpdateNode,
  IdentifierNode,
  type Kysely,
  type KyselyPlugin,
  type OnConflictNode,
  type OperationNode,
  OperationNodeTransformer,
  type QueryId,
  ReferenceNode,
  SelectAllNode,
  type SelectionNode,
  SelectQueryNode,
} from "kysely";
import type { Row } from "../define/change";
import { codedError } from "../function/coded-error";
import { type Columns, nextVersion, VERSION } from "./columns";

/**
 * Lets Kysely's builders use the field names of one table: its columns in queries, fields in results. An upsert that updates the row
 * raises its version. Only for a module's own builders.
 */
export function withFieldNames<DB>(db: Kysely<DB>, table: string, columns: Columns): Kysely<DB> {
  // Declared here, because a class of a module would not survive the packaging of a function (docs/packaging.md).
  // eslint-disable-next-line no-restricted-syntax
  class FieldNames extends OperationNodeTransformer {
    protected override transformColumn(node: ColumnNode): ColumnNode {
      return ColumnNode.create(nameIn(columns, node.column.name));
    }
    // An alias too, since what is around a subquery refers to it as to a column.
    protected override transformSelection(node: SelectionNode, queryId?: QueryId): SelectionNode {
      const transformed = super.transformSelection(node, queryId);
      const alias = aliasOf(transformed.selection);
      if (alias === undefined || !AliasNode.is(transformed.selection)) return transformed;
      const named = IdentifierNode.create(nameIn(columns, alias));
      return { ...transformed, selection: { ...transformed.selection, alias: named } };
    }
    protected override transformOnConflict(node: OnConflictNode, queryId?: QueryId): OnConflictNode {
      const transformed = super.transformOnConflict(node, queryId);
      if (!transformed.updates) return transformed;
      const raised = ColumnUpdateNode.create(
        ColumnNode.create(VERSION),
        nextVersion(table).toOperationNode(),
      );
      return { ...transformed, updates: [...transformed.updates, raised] };
    }
  }
  const names = new FieldNames();
  const selected = new WeakMap<QueryId, Columns>();
  const plugin: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      selected.set(queryId, selectedNames(columns, node));
      return names.transformNode(node, queryId);
    },
    async transformResult({ result, queryId }) {
      const asSelected = selected.get(queryId) ?? {};
      return { ...result, rows: result.rows.map((row) => renamed(asSelected, row)) };
    },
  };
  return db.withPlugin(plugin);
}

/** The column of a field; any other name stays as it is. */
function nameIn(columns: Columns, name: string): string {
  return (Object.hasOwn(columns, name) ? columns[name] : undefined) ?? name;
}

/**
 * Name of a column in the result of a query -> the name by which the query selects it.
 *
 * @throws ALIAS_TAKEN
 */
function selectedNames(columns: Columns, query: OperationNode): Columns {
  if (!SelectQueryNode.is(query)) return {};
  const names = (query.selections ?? []).flatMap(({ selection }): string[] => {
    const one = ReferenceNode.is(selection) ? selection.column : selection;
    if (SelectAllNode.is(one)) return Object.keys(columns);
    const name = ColumnNode.is(one) ? one.column.name : aliasOf(one);
    return name === undefined ? [] : [name];
  });
  const selected = new Map<string, string>();
  for (const name of names) {
    const column = nameIn(columns, name);
    const other = selected.get(column) ?? name;
    if (other !== name) throw aliasTaken(column, [name, other]);
    selected.set(column, name);
  }
  return Object.fromEntries(selected);
}

function aliasOf(selection: OperationNode): string | undefined {
  return AliasNode.is(selection) && IdentifierNode.is(selection.alias) ? selection.alias.name : undefined;
}

function renamed(names: Columns, row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [nameIn(names, name), value]));
}

function aliasTaken(column: string, names: string[]) {
  const field = names.find((name) => name !== column) ?? column;
  return codedError(
    "ALIAS_TAKEN",
    `The alias "${column}" is the column of the field "${field}", which the same query selects. Choose another alias.`,
  );
}
