import type { ColumnType } from "kysely";
import { z } from "zod";
import type { AnyAggregate, StateOf } from "./aggregate";

/** Which column of the table holds which field of the public state. */
export type ColumnsOf<A extends AnyAggregate> = { readonly [F in keyof StateOf<A>]: string };

/** Any entity table in PostgreSQL. */
export interface AnyPostgresTable {
  kind: "postgres-table";
  aggregate: AnyAggregate;
  columns: Record<string, string>;
  private: () => z.ZodObject;
}

/** An entity table of the monolith: its rows are the aggregates, its version column counts their changes. */
export interface PostgresTable<
  A extends AnyAggregate,
  C extends ColumnsOf<A>,
  P extends z.ZodObject,
> extends AnyPostgresTable {
  aggregate: A;
  columns: C & Record<string, string>;
  private: () => P;
}

/** Any entity table in DynamoDB. */
export interface AnyDynamoTable {
  kind: "dynamo-table";
  aggregate: AnyAggregate;
  private: () => z.ZodObject;
  indexes: readonly string[];
}

/** An entity table of a microservice: one item an aggregate, with the fields of its state, its private fields and `version`. */
export interface DynamoTable<
  A extends AnyAggregate,
  P extends z.ZodObject,
  I extends string,
> extends AnyDynamoTable {
  aggregate: A;
  private: () => P;
  indexes: readonly I[];
}

/** An entity table of either kind. */
export type AnyTable = AnyPostgresTable | AnyDynamoTable;

/** A row as Kysely types it: public columns, private columns, and a version that only the runtime writes. */
export type RowOf<T extends AnyPostgresTable> =
  T extends PostgresTable<infer A, infer C, infer P>
    ? { [F in keyof StateOf<A> as C[F] & string]: StateOf<A>[F] } & {
        [F in keyof z.output<P> & keyof P["shape"]]: ColumnType<
          z.output<P>[F],
          z.input<P>[F & keyof z.input<P>],
          z.input<P>[F & keyof z.input<P>]
        >;
      } & { version: ColumnType<number, never, never> }
    : never;

/** What a private schema yields when it is read; nothing for one without fields, which zod types as a record of nothing. */
type ReadFields<P extends z.ZodObject> = [keyof P["shape"]] extends [never] ? unknown : z.output<P>;
/** What a private schema takes when it is written. */
type WrittenFields<P extends z.ZodObject> = [keyof P["shape"]] extends [never] ? unknown : z.input<P>;

/** An item as it is read: public fields, private fields and the version. */
export type ItemOf<T extends AnyDynamoTable> =
  T extends DynamoTable<infer A, infer P, string> ? StateOf<A> & ReadFields<P> & { version: number } : never;

/** An item as it is written: the runtime adds the version. */
export type NewItemOf<T extends AnyDynamoTable> =
  T extends DynamoTable<infer A, infer P, string> ? StateOf<A> & WrittenFields<P> : never;

type NoFields = z.ZodObject<Record<never, never>>;

/** Fields that an index can be on: text, since an index's key is declared as text and DynamoDB refuses anything else. */
type TextFieldOf<A extends AnyAggregate, P extends z.ZodObject> = TextIn<StateOf<A>> | TextIn<ReadFields<P>>;
type TextIn<T> = { [F in keyof T & string]-?: T[F] extends string | undefined ? F : never }[keyof T & string];

/**
 * Declares an entity table of a monolith module.
 *
 * @param aggregate the contract whose aggregates are its rows
 * @param options.columns public field -> column; as data, so that the database itself can build an event's state
 * @param options.private makes the schema of the private columns, which no event carries; default none
 */
export function entityTable<
  A extends AnyAggregate,
  const C extends ColumnsOf<A>,
  P extends z.ZodObject = NoFields,
>(
  aggregate: A,
  options: { columns: C & { [F in Exclude<keyof C & string, keyof StateOf<A>>]: never }; private?: () => P },
): PostgresTable<A, C, P>;
/**
 * Declares an entity table of a microservice.
 *
 * @param aggregate the contract whose aggregates are its items
 * @param options.private makes the schema of the private fields, which no event carries; default none
 * @param options.indexes string fields to look items up by (a global secondary index each); default none
 */
export function entityTable<
  A extends AnyAggregate,
  P extends z.ZodObject = NoFields,
  const I extends TextFieldOf<A, P> = never,
>(aggregate: A, options?: { private?: () => P; indexes?: readonly I[] }): DynamoTable<A, P, I>;
export function entityTable(
  aggregate: AnyAggregate,
  options: {
    columns?: Record<string, string>;
    private?: () => z.ZodObject;
    indexes?: readonly string[];
  } = {},
): AnyTable {
  const fields = options.private ?? (() => z.object({}));
  return options.columns
    ? { kind: "postgres-table", aggregate, columns: options.columns, private: fields }
    : { kind: "dynamo-table", aggregate, private: fields, indexes: options.indexes ?? [] };
}
