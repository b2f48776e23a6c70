/** Hand-made handles for a domain's commands and reactions: the runtime's own verbs over the rows that a test gives. */
import type { Row, StagedChange } from "../../dist/runtime/define/change.js";
import type { AnyCommand, Rejection } from "../../dist/runtime/define/command.js";
import type { AnySubscription } from "../../dist/runtime/define/domain.js";
import type { AnyProjection } from "../../dist/runtime/define/project.js";
import type { AnyTable } from "../../dist/runtime/define/table.js";
import { found, rejectionOf, tableHandle } from "../../dist/runtime/store/verbs.js";

/** A change as a command or reaction described it. */
export interface Described {
  /** The event's type. */
  event: string;
  /** The event's change. */
  change: unknown;
  /** The fields of a new aggregate. */
  create?: Row;
  /** The fields that an update sets. */
  update?: Row;
  /** The row that is removed. */
  remove?: Row;
  /** The version of the row that is updated or removed. */
  of?: unknown;
}

/** An entity table with these rows, whatever its store. */
export function rows(definition: AnyTable, ...given: Row[]) {
  const { aggregate, indexes } = definition;
  return tableHandle("table", definition, {
    find: async (id) => given.find((row) => row[aggregate.key] === id),
    where: async (index, value) => withValue(given, indexes, index, value),
  });
}

/** A projection that knows these aggregates by their ids. */
export function projection(definition: AnyProjection, known: Record<string, Row> = {}) {
  const find = async (id: string) => known[id];
  return {
    find,
    get: (id: string) => found(find(id), definition.aggregate, id),
    where: async (index: string, value: string) =>
      withValue(Object.values(known), definition.indexes, index, value),
  };
}

function withValue(given: Row[], indexes: readonly string[], index: string, value: string): Row[] {
  if (!indexes.includes(index)) throw new Error(`There is no index "${index}".`);
  return given.filter((row) => row[index] === value);
}

/** Runs a command as the command function does, once its input is parsed. */
export async function run(
  command: AnyCommand | undefined,
  input: Row,
  handles: Row,
): Promise<Described[] | Rejection> {
  if (!command) throw new Error("There is no such command.");
  try {
    const outcome = await command.handle(command.input().parse(input) as never, handles as never);
    return "kind" in outcome && outcome.kind === "rejection" ? outcome : [outcome].flat().map(described);
  } catch (error) {
    const rejection = rejectionOf(error);
    if (rejection) return rejection;
    throw error;
  }
}

/** Runs a subscription's reaction to an event. */
export async function react(
  subscription: AnySubscription | undefined,
  event: { type: string; aggregateId: string; change: unknown; state: unknown },
  handles: Row,
): Promise<Described[]> {
  const handle = subscription?.kind === "react" ? subscription.on[event.type] : undefined;
  if (!handle) throw new Error(`There is no reaction to "${event.type}".`);
  return [await handle(event as never, handles as never)].flat().map(described);
}

function described(staged: StagedChange): Described {
  const { event, change } = staged;
  switch (staged.operation) {
    case "create":
      return { event, change, create: staged.fields };
    case "update":
      return { event, change, update: staged.fields, of: staged.row["version"] };
    case "remove":
      return { event, change, remove: staged.row, of: staged.row["version"] };
    case "kysely":
      throw new Error("A change in Kysely's builders needs a database: test it on one.");
  }
}
