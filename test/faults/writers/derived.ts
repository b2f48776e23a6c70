import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import type { z } from "zod";
import { zocker } from "zocker";
import type { AnyDomain } from "../../../runtime/define/domain";
import type { AnyTable } from "../../../runtime/define/table";
import { columnsOf } from "../../../runtime/postgres/columns";
import { type Random, randomStream, seededUuid } from "../plan/random";
import type { Operation, Operations, SqlOperation } from "./operation";

/** Ids that the inputs of all commands share, so that commands meet aggregates that others have made. */
const IDS = 24;
/** Ids that many writers go for at the same time. */
const HOT = 4;
const HOT_SHARE = 0.3;
/** A share of the operations are transactions of raw SQL, where there is a module. */
const SQL_SHARE = 0.04;
/** Whole numbers without a smaller limit of their own stay where every column type takes them. */
const LARGEST_NUMBER = 1_000_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Derives what writers do from what the domains register: every command, with inputs made from its schema, and raw SQL on the modules'
 * tables. Many commands are rejected, since nothing is known of what they mean; a scenario of the project's own does better.
 *
 * @returns undefined when no domain has a command
 */
export function derivedOperations(domains: readonly AnyDomain[]): Operations | undefined {
  const commands = domains.flatMap((domain) =>
    Object.entries(domain.commands).map(([name, { input }]) => ({ domain: domain.name, name, input })),
  );
  const modules = domains.filter(({ kind }) => kind === "monolith-module");
  const tables = modules.flatMap((module) =>
    Object.entries(module.tables).map(([name, table]) => ({ name, table })),
  );
  const keys = keySchemas(domains);
  if (commands.length === 0) return undefined;
  return (seed, index): Operation => {
    const random = randomStream(seed, `operation ${index}`);
    if (tables.length > 0 && random.chance(SQL_SHARE)) {
      const { name, table } = random.pick(tables);
      return sqlOperation(name, table, `sql-${seed}-${index}`, random);
    }
    const { domain, name, input } = random.pick(commands);
    return {
      kind: "command",
      requestId: seededUuid(seed, `request ${index}`),
      domain,
      command: name,
      input: derivedInput(input(), keys, seed, random),
    };
  };
}

/** Names of keys that are not UUIDs -> their schemas. */
function keySchemas(domains: readonly AnyDomain[]): ReadonlyMap<string, z.ZodType> {
  const aggregates = domains.flatMap(({ tables }) => Object.values(tables).map(({ aggregate }) => aggregate));
  return new Map(aggregates.map(({ key, state }) => [key, state().shape[key] as z.ZodType]));
}

function derivedInput(
  schema: z.ZodType,
  keys: ReadonlyMap<string, z.ZodType>,
  seed: number,
  random: Random,
): unknown {
  const slot = () => (random.chance(HOT_SHARE) ? random.between(0, HOT - 1) : random.between(0, IDS - 1));
  const made = (one: z.ZodType, from: number): unknown => zocker(one).setSeed(from).generate();
  const shared = (value: unknown, name: string): unknown => {
    const key = keys.get(name);
    if (typeof value === "string" && UUID.test(value)) return seededUuid(seed, `id ${slot()}`);
    if (typeof value === "string" && key) return made(key, seed * IDS + slot());
    if (typeof value === "number" && Math.abs(value) > LARGEST_NUMBER)
      return Math.trunc(value % LARGEST_NUMBER);
    if (Array.isArray(value)) return value.map((one) => shared(one, name));
    if (typeof value !== "object" || value === null || value instanceof Date) return value;
    return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, shared(one, field)]));
  };
  const first = made(schema, random.between(0, 2 ** 31 - 1));
  const input = shared(first, "");
  // What sharing has broken is sent as it was made.
  return schema.safeParse(input).success ? input : first;
}

function sqlOperation(name: string, table: AnyTable, transactionId: string, random: Random): SqlOperation {
  const { aggregate } = table;
  const how = random.pick(["committed", "rolledBack", "refused"] as const);
  const event = Object.entries(aggregate.events).find(([, { change }]) => change().safeParse({}).success);
  const columns = columnsOf(table);
  const key = escapeIdentifier(columns.key);
  const state = Object.entries(columns.public)
    .map(([field, column]) => `${escapeLiteral(field)}, changed.${escapeIdentifier(column)}`)
    .join(", ");
  const change = `update ${escapeIdentifier(name)} set version = version + 1
    where ${key} in (select ${key} from ${escapeIdentifier(name)} order by ${key} limit ${random.between(1, 5)} for update)`;
  return {
    kind: "sql",
    transactionId,
    // An event whose change would have to say something cannot be made up.
    how: event ? how : "refused",
    async change(client: Client) {
      if (!event || how === "refused") return (await client.query(change)).rowCount ?? 0;
      const [type, { version }] = event;
      const { rowCount } = await client.query(
        `with changed as (${change} returning *)
         insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
         select gen_random_uuid(), $1, changed.${key}::text, changed.version, $2, $3,
           jsonb_build_object('change', '{}'::jsonb, 'state', jsonb_build_object(${state})), $4 from changed`,
        [aggregate.name, type, version, transactionId],
      );
      return rowCount ?? 0;
    },
  };
}
