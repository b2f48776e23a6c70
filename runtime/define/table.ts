import { z } from "zod";
import type { AnyAggregate, StateOf } from "./aggregate";

/** Any entity table. */
export interface AnyTable {
  kind: "table";
  aggregate: AnyAggregate;
  private: () => z.ZodObject;
  indexes: readonly string[];
  /** Field -> column, where a module's column is not the field in snake_case. */
  columns: Readonly<Record<string, string>>;
}

/**
 * An entity table: one row of PostgreSQL, or one item of DynamoDB, for each aggregate, with the fields of its public state, its
 * private fields and its version.
 */
export interface Table<A extends AnyAggregate, P extends z.ZodObject, I extends string> extends AnyTable {
  aggregate: A;
  private: () => P;
  indexes: readonly I[];
}

/** A table whose handle has Kysely's builders too; see `withKysely`. */
export interface KyselyTable<T extends AnyTable = AnyTable> {
  kind: "kysely-table";
  table: T;
}

/** What a private schema yields when it is read; nothing for one without fields, which zod types as a record of nothing. */
type ReadFields<P extends z.ZodObject> = [keyof P["shape"]] extends [never] ? unknown : z.output<P>;
/** What a private schema takes when it is written. */
type WrittenFields<P extends z.ZodObject> = [keyof P["shape"]] extends [never] ? unknown : z.input<P>;
/** One object type instead of an intersection, for readable errors. */
type Flat<T> = { [F in keyof T]: T[F] } & {};

/** An aggregate as it is read: public fields, private fields and the version. */
export type RowOf<T extends AnyTable> =
  T extends Table<infer A, infer P, string>
    ? Flat<StateOf<A> & ReadFields<P> & { readonly version: number }>
    : never;

/** An aggregate as it is created: the runtime adds the version. */
export type NewRowOf<T extends AnyTable> =
  T extends Table<infer A, infer P, string> ? Flat<StateOf<A> & WrittenFields<P>> : never;

/** What an update may set: everything but the key, by which other domains know the aggregate. */
export type UpdateOf<T extends AnyTable> =
  T extends Table<infer A, infer P, string> ? Partial<Omit<StateOf<A> & WrittenFields<P>, A["key"]>> : never;

/** The fields that rows are looked up by. */
export type IndexOf<T extends AnyTable> = T extends Table<AnyAggregate, z.ZodObject, infer I> ? I : never;

type NoFields = z.ZodObject<Record<never, never>>;

/** Fields that an index can be on: text, because DynamoDB declares an index's key as text and refuses anything else. */
type TextFieldOf<A extends AnyAggregate, P extends z.ZodObject> = TextIn<StateOf<A>> | TextIn<ReadFields<P>>;
/** The names of fields that hold text wherever they are present. */
export type TextIn<T> = {
  [F in keyof T & string]-?: T[F] extends string | null | undefined ? F : never;
}[keyof T & string];

/**
 * Declares an entity table, whatever the store of its domain.
 *
 * @param aggregate the contract whose aggregates are its rows
 * @param options.private makes the schema of the private fields, which no event carries. @default none
 * @param options.indexes text fields to look rows up by (`where`): in DynamoDB a global secondary index each, in PostgreSQL an index
 *   that the module's migration creates. @default none
 * @param options.columns modules only: field -> column where that is not the field in snake_case. @default snake_case
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
  } = {},
): Table<A, P, I> {
  const { indexes = [], columns = {} } = options;
  return {
    kind: "table",
    aggregate,
    // The default has no fields, as NoFields says.
    private: options.private ?? ((() => z.object({})) as unknown as () => P),
    indexes,
    columns: columns as Record<string, string>,
  };
}

/**
 * Gives a command or reaction of a module Kysely's own builders for one of its tables, for what the common verbs do not express: reads
 * of any shape (`select`), set expressions and upserts (`change`). Name it under `uses` in the table's place:
 * `uses: { products: withKysely(products) }`. A microservice has no such tables.
 */
export function withKysely<T extends AnyTable>(table: T): KyselyTable<T> {
  return { kind: "kysely-table", table };
}
