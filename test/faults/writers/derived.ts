import { type Client, escapeIdentifier } from "pg";
import type { z } from "zod";
import { zocker } from "zocker";
import { findScenario, type Scenario } from "../../../local/run/scenario";
import type { LocalSystem } from "../../../local/system/system";
import type { AnyDomain } from "../../../runtime/define/domain";
import type { AnyTable } from "../../../runtime/define/table";
import { codedError } from "../../../runtime/function/coded-error";
import { columnsOf } from "../../../runtime/postgres/columns";
import { type Random, randomStream, seededUuid } from "../plan/random";
import { withAttacks } from "./attacks";
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
  /** Whether the operations mean something to the domains; a derived one may fail for good. */
  isKnown: boolean;
}

/**
 * The operations of the project's scenario, or else operations derived from its domains, and attacks between them.
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
  return {
    operationAt: withAttacks(operationAt, registry.all),
    privateMarks: scenario?.privateMarks ?? {},
    known: scenario?.known ?? {},
    isKnown: scenario?.operationAt !== undefined,
  };
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
      return sqlOperation(random.pick(tables), `sql-${seed}-${index}`, random);
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
  const how = random.pick(["committed", "rolledBack"] as const);
  const event = Object.entries(aggregate.events).find(([, { change }]) => change().safeParse({}).success);
  const [from, key] = [name, columnsOf(table).key].map(escapeIdentifier);
  const rows = random.between(1, 5);
  return {
    ...{ kind: "sql", module, transactionId, how },
    async change(client: Client) {
      // Only an event whose change may be empty can be made up.
      if (!event) return 0;
      const changed = await client.query<{ id: string }>(
        `update ${from} set version = version + 1
           where ${key} in (select ${key} from ${from} order by ${key} limit ${rows} for update) returning ${key}::text as id`,
      );
      for (const { id } of changed.rows)
        await client.query("select raise_event($1, $2, $3, '{}', $4)", [
          ...[aggregate.name, id, event[0], transactionId],
        ]);
      return changed.rows.length;
    },
  };
}
