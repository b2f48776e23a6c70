import type {
  DeleteQueryBuilder,
  DeleteResult,
  Expression,
  Insertable,
  InsertQueryBuilder,
  InsertResult,
  ColumnType,
  SelectQueryBuilder,
  UpdateQueryBuilder,
  UpdateResult,
} from "kysely";
import type { AnyAggregate, ChangeOf, EventTypeOf } from "./aggregate";
import type { StagedChange } from "./change";
import type { AnyProjection, Projection } from "./project";
import type { AnyTable, IndexOf, KyselyTable, NewRowOf, RowOf, UpdateOf } from "./table";

/**
 * The tables and projections that a command or reaction uses, all of its own domain, by the names they are
 * registered by. The permissions of its function are derived from this.
 */
export type Uses = Record<string, AnyTable | KyselyTable | AnyProjection>;

/** The handles that a command or reaction receives for what it uses. */
export type HandlesOf<U extends Uses> = {
  readonly [N in keyof U & string]: U[N] extends AnyTable
    ? TableHandle<U[N]>
    : U[N] extends KyselyTable<infer T>
      ? KyselyHandle<N, T>
      : U[N] extends Projection<AnyAggregate, infer F, infer I>
        ? ProjectionHandle<F, I>
        : never;
};

/**
 * Reads a projection: a local copy of another domain's aggregates, as recent as the newest event that has
 * arrived.
 */
export interface ProjectionHandle<F, I extends string = string> {
  /** The projected fields of one aggregate; undefined when it is not known here or is gone. */
  find(id: string): Promise<F | undefined>;
  /**
   * The projected fields of one aggregate. When it is not known here or is gone, the command ends in the
   * rejection `<AGGREGATE>_UNKNOWN`, or the reaction's event goes back to its queue.
   */
  get(id: string): Promise<F>;
  /** The projected fields of the aggregates whose indexed field has this value; eventually consistent. */
  where(index: I, value: string): Promise<F[]>;
}

/**
 * An entity table, as a command or reaction uses it. `create`, `update` and `remove` describe a change;
 * `.raise(event, change)` completes it, and only then a handler can return it.
 */
export interface TableHandle<T extends AnyTable> {
  /** One aggregate by its key, read consistently; undefined when there is none. */
  find(id: string): Promise<RowOf<T> | undefined>;
  /**
   * One aggregate by its key, read consistently. When there is none, the command ends in the rejection
   * `<AGGREGATE>_UNKNOWN`, or the reaction's event goes back to its queue.
   */
  get(id: string): Promise<RowOf<T>>;
  /**
   * The aggregates whose indexed field has this value. Eventually consistent in DynamoDB, as every index is.
   */
  where(index: IndexOf<T>, value: string): Promise<RowOf<T>[]>;
  /**
   * Describes a new aggregate. When one with this key exists at the commit, the command ends in the rejection
   * `<AGGREGATE>_EXISTS`, or the reaction's event goes back to its queue. The key of a removed aggregate may
   * be used again; its versions continue from the last one.
   */
  create<F extends NewRowOf<T>>(fields: F & NothingElse<F, NewRowOf<T>>): UnraisedChange<T["aggregate"]>;
  /**
   * Describes a change of an aggregate. When it has changed since `row` was read, nothing is written and the
   * handler runs again.
   *
   * @param row as `find`, `get` or `where` returned it
   * @param fields the fields to set; `undefined` removes an optional field
   */
  update<F extends UpdateOf<T>>(
    row: RowOf<T>,
    fields: F & NothingElse<F, UpdateOf<T>>,
  ): UnraisedChange<T["aggregate"]>;
  /**
   * Describes the removal of an aggregate. When it has changed since `row` was read, nothing is written and
   * the handler runs again.
   *
   * @param row as `find`, `get` or `where` returned it
   */
  remove(row: RowOf<T>): UnraisedChange<T["aggregate"]>;
}

/**
 * Forbids fields that the table does not have, also where TypeScript's excess property check does not look.
 */
type NothingElse<F, Known> = { [Name in Exclude<keyof F, keyof Known>]: never };

/** A change without its event, which a handler cannot return yet. */
export interface UnraisedChange<A extends AnyAggregate> {
  /**
   * Completes the change with its event; neither is written without the other.
   *
   * @param event one of the aggregate's event types
   * @param change what happened, by the event's contract; optional where the contract has no required fields
   */
  raise<E extends EventTypeOf<A>>(event: E, ...change: ChangeArguments<ChangeOf<A, E>>): StagedChange;
}

type ChangeArguments<C> = Record<never, never> extends C ? [change?: C] : [change: C];

/** A module's table with Kysely's builders; fields are named as in the contract. */
export interface KyselyHandle<N extends string, T extends AnyTable> extends TableHandle<T> {
  /** A Kysely select on the table. */
  select(): SelectQueryBuilder<KyselyDatabase<N, T>, N, unknown>;
  /**
   * Describes a change of one row with Kysely's builders: for set expressions and upserts. The runtime adds
   * the new version and the event, also when an upsert updates a row. Without a condition on `version`, the
   * change applies on top of a concurrent one.
   */
  change(describe: (table: ChangeBuilders<N, T>) => ChangeQuery<N, T>): UnraisedChange<T["aggregate"]>;
}

/** The table as Kysely types it: only the runtime writes the version, and the key cannot be updated. */
export type KyselyDatabase<N extends string, T extends AnyTable> = Record<N, KyselyRow<T>>;
type KyselyRow<T extends AnyTable> = {
  [F in keyof RowOf<T>]: F extends "version"
    ? ColumnType<number, never, never>
    : ColumnType<
        RowOf<T>[F],
        F extends keyof NewRowOf<T> ? NewRowOf<T>[F] : never,
        F extends keyof UpdateOf<T> & keyof NewRowOf<T> ? NewRowOf<T>[F] : never
      >;
};

/** Kysely's builders for one change of one table. */
export interface ChangeBuilders<N extends string, T extends AnyTable> {
  insert(values: Insertable<KyselyRow<T>>): InsertQueryBuilder<KyselyDatabase<N, T>, N, InsertResult>;
  update(values: {
    [F in keyof UpdateOf<T>]: UpdateOf<T>[F] | Expression<unknown>;
  }): UpdateQueryBuilder<KyselyDatabase<N, T>, N, N, UpdateResult>;
  delete(): DeleteQueryBuilder<KyselyDatabase<N, T>, N, DeleteResult>;
}

/** A described change, not yet run. */
export type ChangeQuery<N extends string, T extends AnyTable> =
  | InsertQueryBuilder<KyselyDatabase<N, T>, N, InsertResult>
  | UpdateQueryBuilder<KyselyDatabase<N, T>, N, N, UpdateResult>
  | DeleteQueryBuilder<KyselyDatabase<N, T>, N, DeleteResult>;
