import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import type { z } from "zod";
import { zocker } from "zocker";
import { findScenario, type Scenario } from "../../../local/run/scenario";
import type { LocalSystem } from "../../../local/system/system";
import type { AnyDomain } from "../../../runtime/define/domain";
import type { AnyTable } from "../../../runtime/define/table";
import { codedError } from "../../../runtime/function/coded-error";
import { columnsOf } from "../../../runtime/postgres/columns";
import { type Random, randomStream, seededUuid } from "../plan/random";
import type { Operation, Operations, SqlOperation } from "./operation";

/** Ids that the inputs of all commands share, so that commands reach aggregates that others have created. */
const IDS = 24;
/** Ids that many writers use at the same time. */
const HOT = 4;
const HOT_SHARE = 0.3;
/** Share of transactions of raw SQL, if there is a module. */
const SQL_SHARE = 0.04;
/** Limit for numbers, so that every column type takes them. */
const LARGEST_NUMBER = 1_000_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The operations of a run's writers, and what is known about them. */
export interface Writing {
  operationAt: Operations;
  privateMarks: NonNullable<Scenario["privateMarks"]>;
  known: NonNullable<Scenario["known"]>;
}

/**
 * The operations of the project's scenario, or else operations derived from its domains.
 *
 * @throws NOTHING_TO_WRITE when no domain has a command
 */
export function whatToWrite({ registry }: LocalSystem): Writing {
  const { scenario } = findScenario(registry);
  const operationAt = scenario?.operationAt ?? derivedOperations(registry.all);
  if (!operationAt) {
    throw codedError(
      "NOTHING_TO_WRITE",
      "No domain under domains/ has a command, so there is nothing to write. Add a domain with a command.",
    );
  }
  return { operationAt, privateMarks: scenario?.privateMarks ?? {}, known: scenario?.known ?? {} };
}

/**
 * Derives operations from the registered domains: every command, with inputs generated from its schema, and
 * raw SQL on the modules' tables. Many commands are rejected, because their meaning is unknown; a project's
 * own scenario reaches more.
 *
 * @returns undefined when no domain has a command
 */
export function derivedOperations(domains: readonly AnyDomain[]): Operations | undefined {
  const commands = domains.flatMap((domain) =>
    Object.entries(domain.commands).map(([name, { input }]) => ({ domain: domain.name, name, input })),
  );
  const modules = domains.filter(({ kind }) => kind === "monolith-module");
  const tables = modules.flatMap(({ name: module, tables: own }) =>
    Object.entries(own).map(([name, table]) => ({ module, name, table })),
  );
  const keys = keySchemas(domains);
  if (commands.length === 0) return undefined;
  return (seed, index): Operation => {
    const random = randomStream(seed, `operation ${index}`);
    if (tables.length > 0 && random.chance(SQL_SHARE)) {
      const chosen = random.pick(tables);
      return sqlOperation(chosen, `sql-${seed}-${index}`, random);
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
  // An input that sharing ids has made invalid is sent as it was generated.
  return schema.safeParse(input).success ? input : first;
}

function sqlOperation(
  { module, name, table }: { module: string; name: string; table: AnyTable },
  transactionId: string,
  random: Random,
): SqlOperation {
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
    module,
    transactionId,
    // Only an event whose change may be empty can be made up.
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
