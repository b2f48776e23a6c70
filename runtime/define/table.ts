import { z } from "zod";
import type { AnyAggregate, StateOf } from "./aggregate";
import type { Rejection } from "./rejection";

export interface AnyTable {
  kind: "table";
  aggregate: AnyAggregate;
  private: () => z.ZodObject;
  indexes: readonly string[];
  /** Field -> column, where a module's column is not the field's name in snake_case. */
  columns: Readonly<Record<string, string>>;
  /** Name of a constraint (or SQLSTATE of a trigger) -> the rejection, or its code alone. */
  rejections: Readonly<Record<string, Rejection | string>>;
}

/**
 * An entity table, with one row (PostgreSQL) or item (DynamoDB) per aggregate: the fields of its public
 * state, its private fields and its version.
 */
export interface Table<A extends AnyAggregate, P extends z.ZodObject, I extends string> extends AnyTable {
  aggregate: A;
  private: () => P;
  indexes: readonly I[];
}

/** A table whose handle also has Kysely's builders; see `withKysely`. */
export interface KyselyTable<T extends AnyTable = AnyTable> {
  kind: "kysely-table";
  table: T;
}

/**
 * The private fields as they are read; `unknown` for a schema without fields, which zod types as
 * `Record<string, never>`.
 */
type ReadFields<P extends z.ZodObject> = [keyof P["shape"]] extends [never] ? unknown : z.output<P>;
/** The private fields as they are written. */
type WrittenFields<P extends z.ZodObject> = [keyof P["shape"]] extends [never] ? unknown : z.input<P>;
/** One object type instead of an intersection, for readable errors. */
type Flat<T> = { [F in keyof T]: T[F] } & {};

/** A row as it is read: public fields, private fields and the version. */
export type RowOf<T extends AnyTable> =
  T extends Table<infer A, infer P, string>
    ? Flat<StateOf<A> & ReadFields<P> & { readonly version: number }>
    : never;

/** A row as it is created; the runtime adds the version. */
export type NewRowOf<T extends AnyTable> =
  T extends Table<infer A, infer P, string> ? Flat<StateOf<A> & WrittenFields<P>> : never;

/** The fields that an update may set: all but the key, by which other domains know the aggregate. */
export type UpdateOf<T extends AnyTable> =
  T extends Table<infer A, infer P, string> ? Partial<Omit<StateOf<A> & WrittenFields<P>, A["key"]>> : never;

/** The indexed fields of a table. */
export type IndexOf<T extends AnyTable> = T extends Table<AnyAggregate, z.ZodObject, infer I> ? I : never;

type NoFields = z.ZodObject<Record<never, never>>;

/**
 * Fields that can be indexed: texts, because DynamoDB declares the type of an index's key and refuses items
 * with any other.
 */
type TextFieldOf<A extends AnyAggregate, P extends z.ZodObject> = TextIn<StateOf<A>> | TextIn<ReadFields<P>>;
/** The names of fields that hold text wherever they are present. */
export type TextIn<T> = {
  [F in keyof T & string]-?: T[F] extends string | null | undefined ? F : never;
}[keyof T & string];

/**
 * Declares an entity table, in either store.
 *
 * @param aggregate the contract of the aggregates in it
 * @param options.private makes the schema of the private fields, which no event carries. @default none
 * @param options.indexes text fields to look rows up by (`where`): a global secondary index each in DynamoDB;
 *   in PostgreSQL an index that the module's migration creates. @default none
 * @param options.columns modules only: field -> column, where that is not the field's name in snake_case.
 * @default snake_case
 * @param options.rejections modules only: constraint of the database (unique, check, foreign key, exclusion; `<table>_<column>_not_null`
 *   for NOT NULL), or SQLSTATE that a trigger raises -> the code that a command is rejected with when it refuses
 *   a change, or `reject(code, message)`. @default a code made from the name: `customers_email_key` is
 *   `CUSTOMERS_EMAIL_KEY_VIOLATED`
 */
export function table<
  A extends AnyAggregate,
  P extends z.ZodObject = NoFields,
  const I extends TextFieldOf<A, P> = never,
>(
  aggregate: A,
  options: {
    private?: () => P;
    indexes?: readonly I[];
    columns?: { readonly [F in keyof (StateOf<A> & ReadFields<P>) & string]?: string };
    rejections?: Readonly<Record<string, Rejection | Uppercase<string>>>;
  } = {},
): Table<A, P, I> {
  const { indexes = [], columns = {}, rejections = {} } = options;
  return {
    kind: "table",
    aggregate,
    // The default schema has no fields, which is what NoFields says.
    private: options.private ?? ((() => z.object({})) as unknown as () => P),
    indexes,
    columns: columns as Record<string, string>,
    rejections,
  };
}

/**
 * Gives a command or reaction Kysely's builders for one of its module's tables, for what the common verbs do
 * not express: any select (`select`), set expressions and upserts (`change`). Use it in the table's place:
 * `uses: { products: withKysely(products) }`. Not for microservices.
 */
export function withKysely<T extends AnyTable>(table: T): KyselyTable<T> {
  return { kind: "kysely-table", table };
}
