import type {
  DeleteQueryBuilder,
  DeleteResult,
  Expression,
  Insertable,
  InsertQueryBuilder,
  InsertResult,
  Selectable,
  SelectQueryBuilder,
  Updateable,
  UpdateQueryBuilder,
  UpdateResult,
} from "kysely";
import type { AnyAggregate, ChangeOf, EventTypeOf } from "./aggregate";
import type {
  AnyDynamoTable,
  AnyPostgresTable,
  AnyTable,
  DynamoTable,
  ItemOf,
  NewItemOf,
  RowOf,
} from "./table";
import type { StagedChange } from "../store/store";
import type { AnyProjection, Projection } from "./project";

/** What a command or reaction says it uses: tables and projections of its domain, under the names they are registered by. */
export type Uses = Record<string, AnyTable | AnyProjection>;

/** What a command or reaction gets for what it uses. */
export type HandlesOf<U extends Uses> = {
  readonly [N in keyof U & string]: U[N] extends AnyPostgresTable
    ? PostgresHandle<N, U[N]>
    : U[N] extends AnyDynamoTable
      ? DynamoHandle<U[N]>
      : U[N] extends Projection<AnyAggregate, infer F>
        ? ProjectionHandle<F>
        : never;
};

/** Reads a projection: a local copy of another domain's aggregates, as new as the events that have arrived. */
export interface ProjectionHandle<F> {
  /** The projected fields of one aggregate; undefined when it is not known here or is gone. */
  find(id: string): Promise<F | undefined>;
}

/** An entity table of the monolith, in the hands of a command or reaction. */
export interface PostgresHandle<N extends string, T extends AnyPostgresTable> {
  /** One row by its key. */
  find(id: string): Promise<Selectable<RowOf<T>> | undefined>;
  /** A Kysely select on the table, with all that Kysely has. */
  select(): SelectQueryBuilder<Record<N, RowOf<T>>, N, unknown>;
  /**
   * Stages a change of one row together with the event that tells of it; neither is written without the other.
   *
   * @param describe the change, in Kysely's own builders; name the version that was read in its `where`, so that a change made
   *   meanwhile is a conflict and not overwritten
   */
  change<E extends EventTypeOf<T["aggregate"]>>(
    type: E,
    change: ChangeOf<T["aggregate"], E>,
    describe: (change: ChangeBuilders<N, T>) => ChangeQuery<N, T>,
  ): StagedChange;
}

/** Kysely's builders for one change of one table; the runtime adds the version and the event, and runs it. */
export interface ChangeBuilders<N extends string, T extends AnyPostgresTable> {
  insert(values: Insertable<RowOf<T>>): InsertQueryBuilder<Record<N, RowOf<T>>, N, InsertResult>;
  update(values: {
    [C in keyof Updateable<RowOf<T>>]: Updateable<RowOf<T>>[C] | Expression<unknown>;
  }): UpdateQueryBuilder<Record<N, RowOf<T>>, N, N, UpdateResult>;
  delete(): DeleteQueryBuilder<Record<N, RowOf<T>>, N, DeleteResult>;
}

/** A described change, not yet run. */
export type ChangeQuery<N extends string, T extends AnyPostgresTable> =
  | InsertQueryBuilder<Record<N, RowOf<T>>, N, InsertResult>
  | UpdateQueryBuilder<Record<N, RowOf<T>>, N, N, UpdateResult>
  | DeleteQueryBuilder<Record<N, RowOf<T>>, N, DeleteResult>;

/** An entity table of a microservice, in the hands of a command or reaction. */
export interface DynamoHandle<T extends AnyDynamoTable> {
  /** One item by its key, read consistently. */
  find(id: string): Promise<ItemOf<T> | undefined>;
  /** The items whose indexed field has this value; eventually consistent, as every global secondary index is. */
  where(index: IndexOf<T>, value: string): Promise<ItemOf<T>[]>;
  /** Stages a new item with the event that tells of it. */
  create<E extends EventTypeOf<T["aggregate"]>>(
    type: E,
    change: ChangeOf<T["aggregate"], E>,
    item: NewItemOf<T>,
  ): StagedChange;
  /** Stages a change of an item as it was read; one changed meanwhile is a conflict. */
  update<E extends EventTypeOf<T["aggregate"]>>(
    type: E,
    change: ChangeOf<T["aggregate"], E>,
    item: ItemOf<T>,
    fields: Partial<NewItemOf<T>>,
  ): StagedChange;
  /** Stages the removal of an item as it was read; its last version is kept, so that a new life goes on from there. */
  remove<E extends EventTypeOf<T["aggregate"]>>(
    type: E,
    change: ChangeOf<T["aggregate"], E>,
    item: ItemOf<T>,
  ): StagedChange;
}

type IndexOf<T extends AnyDynamoTable> = T extends DynamoTable<AnyAggregate, infer _P, infer I> ? I : never;
