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
  sql,
  ValueNode,
} from "kysely";
import type { Row } from "../define/change";
import type { Fields } from "../define/fields";
import type { AnyTable } from "../define/table";
import { codedError } from "../function/coded-error";
import { decoded, encoded } from "./json";

/** Field -> column. */
export type Columns = Readonly<Record<string, string>>;

/** The column with the aggregate's version in every entity table. */
export const VERSION = "version";

/** The next version of a row, as an SQL expression. */
export function nextVersion(table: string) {
  return sql`${sql.ref(`${table}.${VERSION}`)} + 1`;
}

/** The columns of a module's table. */
export interface TableColumns {
  all: Columns;
  /** The columns of the public state. */
  public: Columns;
  /** The column of the key. */
  key: string;
}

/**
 * Maps the fields of a module's table to columns: by the table's own mapping, or else to the field's name in
 * snake_case.
 */
export function columnsOf({ aggregate, private: hidden, columns }: AnyTable): TableColumns {
  const named = (fields: string[]): Columns =>
    Object.fromEntries(fields.map((field) => [field, columns[field] ?? snakeCase(field)]));
  const published = named(Object.keys(aggregate.state().shape));
  return {
    all: { ...published, ...named(Object.keys(hidden().shape)) },
    public: published,
    key: published[aggregate.key] ?? aggregate.key,
  };
}

/** "priceCents" -> "price_cents"; a run of capitals is one word: "siteURL" -> "site_url". */
export function snakeCase(field: string): string {
  return field
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

/** Renames fields to columns; fields that the table does not have are left out. */
export function toColumns(columns: Columns, fields: Row): Row {
  const known = Object.entries(fields).filter(([field]) => Object.hasOwn(columns, field));
  return Object.fromEntries(known.map(([field, value]) => [columns[field] as string, value]));
}

/**
 * Lets Kysely's builders use the field names of one table: queries get its columns, results its fields. An
 * upsert that updates a row raises its version. Values are converted to and from what a column takes. Only for
 * queries that a module builds.
 */
export function withFieldNames<DB>(
  db: Kysely<DB>,
  table: string,
  columns: Columns,
  fields: Fields,
): Kysely<DB> {
  // Declared here, because a class at module level would not survive the packaging of a function
  // (docs/packaging.md).
  // eslint-disable-next-line no-restricted-syntax
  class FieldNames extends OperationNodeTransformer {
    protected override transformColumn(node: ColumnNode): ColumnNode {
      return ColumnNode.create(nameIn(columns, node.column.name));
    }
    protected override transformColumnUpdate(node: ColumnUpdateNode, queryId?: QueryId): ColumnUpdateNode {
      const field = ColumnNode.is(node.column) ? fields[node.column.column.name] : undefined;
      const transformed = super.transformColumnUpdate(node, queryId);
      if (!ValueNode.is(transformed.value)) return transformed;
      return { ...transformed, value: ValueNode.create(encoded(field, transformed.value.value)) };
    }
    // Aliases too, because a query around a subquery refers to them as columns.
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
      return { ...result, rows: result.rows.map((row) => renamed(asSelected, fields, row)) };
    },
  };
  return db.withPlugin(plugin);
}

/** The column of a field; any other name stays as it is. */
function nameIn(columns: Columns, name: string): string {
  return (Object.hasOwn(columns, name) ? columns[name] : undefined) ?? name;
}

/**
 * Name of a column in a query's result -> the name by which the query selects it.
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

/** A row of a result with its fields' names and values. */
function renamed(names: Columns, fields: Fields, row: Row): Row {
  const entries = Object.entries(row).map(([name, value]) => {
    const field = nameIn(names, name);
    return [field, decoded(Object.hasOwn(fields, field) ? fields[field] : undefined, value)] as const;
  });
  return Object.fromEntries(entries);
}

function aliasTaken(column: string, names: string[]) {
  const field = names.find((name) => name !== column) ?? column;
  return codedError(
    "ALIAS_TAKEN",
    `The alias "${column}" is the column of the field "${field}", which the same query selects. Choose another alias.`,
  );
}
