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
 * What a command or reaction says it uses: tables and projections of its own domain, under the names they are registered by. A
 * function's permissions are made from it.
 */
export type Uses = Record<string, AnyTable | KyselyTable | AnyProjection>;

/** What a command or reaction gets for what it uses. */
export type HandlesOf<U extends Uses> = {
  readonly [N in keyof U & string]: U[N] extends AnyTable
    ? TableHandle<U[N]>
    : U[N] extends KyselyTable<infer T>
      ? KyselyHandle<N, T>
      : U[N] extends Projection<AnyAggregate, infer F, infer I>
        ? ProjectionHandle<F, I>
        : never;
};

/** Reads a projection: a local copy of another domain's aggregates, as new as the events that have arrived. */
export interface ProjectionHandle<F, I extends string = string> {
  /** The projected fields of one aggregate; undefined when it is not known here, or is gone. */
  find(id: string): Promise<F | undefined>;
  /**
   * The projected fields of one aggregate. When it is not known here, or is gone, a command is answered with the rejection
   * `<AGGREGATE>_UNKNOWN`, and a reaction's event goes back to its queue.
   */
  get(id: string): Promise<F>;
  /** The projected fields of the aggregates whose indexed field has this value; eventually consistent. */
  where(index: I, value: string): Promise<F[]>;
}

/**
 * An entity table in the hands of a command or reaction. `create`, `update` and `remove` describe a change; only with
 * `.raise(event, change)` it is one that a handler can return.
 */
export interface TableHandle<T extends AnyTable> {
  /** One aggregate by its key, read consistently; undefined when there is none. */
  find(id: string): Promise<RowOf<T> | undefined>;
  /**
   * One aggregate by its key, read consistently. When there is none, a command is answered with the rejection
   * `<AGGREGATE>_UNKNOWN`, and a reaction's event goes back to its queue.
   */
  get(id: string): Promise<RowOf<T>>;
  /** The aggregates whose indexed field has this value. In DynamoDB eventually consistent, as every index is. */
  where(index: IndexOf<T>, value: string): Promise<RowOf<T>[]>;
  /**
   * Describes a new aggregate. When one with this key exists at the commit, a command is answered with the rejection
   * `<AGGREGATE>_EXISTS`, and a reaction's event goes back to its queue. A key that was removed may be used again: the versions go on
   * from there.
   */
  create<F extends NewRowOf<T>>(fields: F & NothingElse<F, NewRowOf<T>>): UnraisedChange<T["aggregate"]>;
  /**
   * Describes a change of an aggregate as it was read. When it was changed since, nothing is written and the handler runs again.
   *
   * @param row as `find`, `get` or `where` returned it
   * @param fields what is to change; `undefined` removes an optional field
   */
  update<F extends UpdateOf<T>>(
    row: RowOf<T>,
    fields: F & NothingElse<F, UpdateOf<T>>,
  ): UnraisedChange<T["aggregate"]>;
  /**
   * Describes the removal of an aggregate as it was read. When it was changed since, nothing is written and the handler runs again.
   *
   * @param row as `find`, `get` or `where` returned it
   */
  remove(row: RowOf<T>): UnraisedChange<T["aggregate"]>;
}

/** Fields that a table does not have, however they came into the object. */
type NothingElse<F, Known> = { [Name in Exclude<keyof F, keyof Known>]: never };

/** A change that lacks its event: not yet something that a handler can return. */
export interface UnraisedChange<A extends AnyAggregate> {
  /**
   * Completes the change with the event that tells of it; neither is written without the other.
   *
   * @param event one of the aggregate's event types
   * @param change what happened, as the event's contract has it; may be left out where that has no required fields
   */
  raise<E extends EventTypeOf<A>>(event: E, ...change: ChangeArguments<ChangeOf<A, E>>): StagedChange;
}

type ChangeArguments<C> = Record<never, never> extends C ? [change?: C] : [change: C];

/** A module's table with Kysely's builders, in the hands of a command or reaction; fields are named as in the contract. */
export interface KyselyHandle<N extends string, T extends AnyTable> extends TableHandle<T> {
  /** A Kysely select on the table, with all that Kysely has. */
  select(): SelectQueryBuilder<KyselyDatabase<N, T>, N, unknown>;
  /**
   * Describes a change of one row in Kysely's own builders: for set expressions and upserts. The runtime adds the new version and the
   * event, also to a row that an upsert updates. Without a condition on `version` a concurrent change is not noticed but built upon.
   */
  change(describe: (table: ChangeBuilders<N, T>) => ChangeQuery<N, T>): UnraisedChange<T["aggregate"]>;
}

/** The table as Kysely types it: only the runtime writes the version, and the key is written once. */
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
