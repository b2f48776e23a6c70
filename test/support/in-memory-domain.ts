import { answerCommand, type CommandAnswer } from "../../runtime/command/handler";
import type { AnyAggregate } from "../../runtime/define/aggregate";
import type { Row, StagedChange } from "../../runtime/define/change";
import type { Rejection } from "../../runtime/define/rejection";
import type { AnyDomain } from "../../runtime/define/domain";
import type { Uses } from "../../runtime/define/handles";
import type { AnyProjection } from "../../runtime/define/project";
import { parseData } from "../../runtime/envelope/portable-data";
import { commitOnFreshReads } from "../../runtime/store/retries";
import type { CommitOutcome, Store } from "../../runtime/store/store";
import { validChange, validKey, validState } from "../../runtime/store/validation";
import {
  checkChangedOnce,
  checkIndex,
  found,
  tableHandle,
  withSchemasMadeOnce,
} from "../../runtime/store/handles";

/**
 * The data before a command or reaction: a table's rows with their versions, a projection's fields by key.
 */
export type Known = Record<string, readonly Row[] | Readonly<Record<string, Row>>>;

/** A committed change. */
export interface Described {
  /** The event's type. */
  event: string;
  /** The event's `change`. */
  change: unknown;
  create?: Row;
  update?: Row;
  /** The key of a removed aggregate. */
  remove?: unknown;
  /** The version that was updated or removed. */
  of?: unknown;
}

/** A domain event, as a reaction receives it. */
export interface GivenEvent {
  type: string;
  aggregateId: string;
  change: unknown;
  state: unknown;
}

/**
 * A domain whose tables and projections are in memory, for tests of its commands and reactions. These run as
 * in their functions: requests and events are checked against their schemas, changes against the contract and
 * the existing versions. Nothing is stored: each call sees the given data, and returns the changes that it
 * would commit.
 */
export function inMemory(domain: AnyDomain, known: Known = {}) {
  const rowsOf = (table: string) => (known[table] ?? []) as readonly Row[];
  const handleOf = (name: string, used: Uses[string]) => {
    if (used.kind === "project") return projectionHandle(used, (known[name] ?? {}) as Record<string, Row>);
    if (used.kind === "kysely-table") throw withKysely(name);
    const { key } = used.aggregate;
    return tableHandle(name, withSchemasMadeOnce(used), {
      find: async (id) => rowsOf(name).find((row) => row[key] === id),
      where: async (index, value) => withValue(rowsOf(name), index, value),
    });
  };
  let committed: Described[] = [];
  const store: Store = {
    handles: (uses) =>
      Object.fromEntries(Object.entries(uses).map(([name, used]) => [name, handleOf(name, used)])),
    async commit(changes) {
      checkChangedOnce(changes);
      const conflict = changes.map((change) => conflictOf(change, rowsOf(change.table))).find(Boolean);
      if (conflict) return conflict;
      committed = changes.map(described);
      return { outcome: "committed", changes: [] };
    },
    committedRequest: async () => undefined,
  };
  return {
    /** Sends a command; returns its changes, or the answer when it is not "done". */
    async run(command: string, input: unknown): Promise<Described[] | CommandAnswer> {
      const answer = await answerCommand(domain.name, domain.commands, store, { command, input });
      return answer.outcome === "done" ? committed : answer;
    },
    /**
     * Runs a reaction to an event; returns its changes, or the rejection for which the event would go back to
     * its queue.
     */
    async react(name: string, event: GivenEvent): Promise<Described[] | Rejection | CommitOutcome> {
      const subscription = domain.subscriptions[name];
      const reaction = subscription?.kind === "react" ? subscription.on[event.type] : undefined;
      if (subscription?.kind !== "react" || !reaction)
        throw new Error(`"${name}" does not react to "${event.type}".`);
      const { aggregate, uses } = subscription;
      const change = validChange(aggregate, event.type, event.change);
      const state = event.state === null ? null : validState(aggregate, event.state);
      const given = { id: "event-1", version: 1, time: "2026-05-04T03:02:01.234Z", ...event, change, state };
      const describe = async () => reaction(given as never, store.handles(uses) as never);
      const result = await commitOnFreshReads(describe, store, { correlationId: "request-1" }, 1);
      return "outcome" in result && result.outcome === "committed" ? committed : result;
    },
    /** The fields that a projection keeps of an aggregate. */
    projected(name: string, state: unknown): Row {
      const subscription = domain.subscriptions[name];
      if (subscription?.kind !== "project") throw new Error(`"${name}" is not a projection.`);
      return subscription.select(validState(subscription.aggregate, state) as never);
    },
  };
}

function projectionHandle({ aggregate, indexes }: AnyProjection, known: Readonly<Record<string, Row>>) {
  const find = async (id: string) => known[id];
  return {
    find,
    get: (id: string) => found(find(id), aggregate, id),
    async where(index: string, value: string) {
      checkIndex(`The projection of ${aggregate.name}`, indexes, index);
      return withValue(Object.values(known), index, value);
    },
  };
}

function withValue(rows: readonly Row[], index: string, value: string): Row[] {
  return rows.filter((row) => row[index] === value);
}

/**
 * Refuses what both stores refuse: creating an existing aggregate, and changing a row that has another
 * version now.
 */
function conflictOf(change: StagedChange, rows: readonly Row[]): CommitOutcome | undefined {
  const { aggregate } = change.definition;
  const id = keyOf(change, aggregate);
  const row = rows.find((one) => one[aggregate.key] === id);
  const lost = {
    outcome: "conflict",
    aggregate: aggregate.name,
    message: "Changed since it was read.",
  } as const;
  if (change.operation === "create") return row && { ...lost, existing: id };
  return "row" in change && row?.["version"] === change.row["version"] ? undefined : lost;
}

function described(staged: StagedChange): Described {
  const { definition, event } = staged;
  const { aggregate } = definition;
  const change = validChange(aggregate, event, staged.change);
  keyOf(staged, aggregate);
  switch (staged.operation) {
    case "create":
      checkFields(staged, staged.fields);
      return { event, change, create: staged.fields };
    case "update":
      checkFields(staged, { ...staged.row, ...staged.fields });
      return { event, change, update: staged.fields, of: staged.row["version"] };
    case "remove":
      return { event, change, remove: staged.row[aggregate.key], of: staged.row["version"] };
    case "kysely":
      throw withKysely(staged.table);
  }
}

function keyOf(change: StagedChange, aggregate: AnyAggregate): string {
  if (change.operation === "kysely") throw withKysely(change.table);
  return validKey(aggregate, (change.operation === "create" ? change.fields : change.row)[aggregate.key]);
}

function checkFields({ definition }: StagedChange, fields: Row): void {
  validState(definition.aggregate, fields);
  const hidden = parseData(definition.private(), fields);
  if ("issues" in hidden) throw new Error(`The private fields do not fit: ${JSON.stringify(hidden.issues)}`);
}

function withKysely(table: string): Error {
  return new Error(`"${table}" is used with Kysely, which needs PostgreSQL: test this in an .int.test.ts.`);
}
