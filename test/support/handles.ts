/** Hand-made handles for a domain's commands and reactions: they hold what is given and tell what would be changed. */
import type { AnyCommand, Rejection } from "../../dist/runtime/define/command.js";
import type { AnySubscription } from "../../dist/runtime/define/subscription.js";

type Row = Record<string, unknown>;

/** A change as a command or reaction described it. */
export interface Described {
  /** The event's type. */
  event: string;
  /** The event's change. */
  change: unknown;
  insert?: Row;
  create?: Row;
  update?: Row;
  remove?: Row;
  delete?: true;
  /** Conditions on a row, e.g. "version = 3". */
  where?: string[];
  /** The version of the item that is updated or removed. */
  of?: unknown;
}

/** A table of the monolith with these rows. */
export function rows(key: string, ...given: Row[]) {
  const conditional = (described: Row) => {
    const query = { described: { ...described, where: [] as string[] }, where };
    function where(column: string, operator: string, value: unknown) {
      query.described.where.push(`${column} ${operator} ${String(value)}`);
      return query;
    }
    return query;
  };
  const builders = {
    insert: (values: Row) => ({ described: { insert: values } }),
    update: (values: Row) => conditional({ update: values }),
    delete: () => conditional({ delete: true }),
  };
  return {
    find: async (id: string) => given.find((row) => row[key] === id),
    change: (
      event: string,
      change: unknown,
      describe: (change: typeof builders) => { described: Row },
    ): Described => ({
      event,
      change,
      ...describe(builders).described,
    }),
  };
}

/** A table of a microservice with these items. */
export function items(key: string, ...given: Row[]) {
  return {
    find: async (id: string) => given.find((item) => item[key] === id),
    where: async (index: string, value: unknown) => given.filter((item) => item[index] === value),
    create: (event: string, change: unknown, item: Row): Described => ({ event, change, create: item }),
    update: (event: string, change: unknown, item: Row, fields: Row): Described => ({
      event,
      change,
      update: fields,
      of: item.version,
    }),
    remove: (event: string, change: unknown, item: Row): Described => ({ event, change, remove: item }),
  };
}

/** A projection that knows these aggregates. */
export function projection(known: Record<string, Row> = {}) {
  return { find: async (id: string) => known[id] };
}

/** Runs a command as the command function does, once its input is parsed. */
export async function run(
  command: AnyCommand | undefined,
  input: Row,
  handles: Row,
): Promise<Described[] | Rejection> {
  if (!command) throw new Error("There is no such command.");
  const handle = command.handle as (input: unknown, handles: Row) => Promise<unknown>;
  const outcome = await handle(command.input().parse(input), handles);
  if ((outcome as Rejection).kind === "rejection") return outcome as Rejection;
  return [outcome].flat() as Described[];
}

/** Runs a subscription's reaction to an event. */
export async function react(
  subscription: AnySubscription | undefined,
  event: { type: string; aggregateId: string; change: unknown; state: unknown },
  handles: Row,
): Promise<Described[]> {
  const handler = subscription?.kind === "react" ? subscription.handlers[event.type] : undefined;
  if (!handler) throw new Error(`There is no reaction to "${event.type}".`);
  const handle = handler.handle as (event: unknown, handles: Row) => Promise<unknown>;
  return [await handle(event, handles)].flat() as Described[];
}
