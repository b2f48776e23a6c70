import { setTimeout as delay } from "node:timers/promises";
import { Client, escapeIdentifier } from "pg";
import type { LocalSystem } from "../../../local/system/system";
import { columnsOf } from "../../../runtime/postgres/columns";
import type { LockedRows } from "../../verdict/writers-journal";
import type { Gate } from "../writers/gate";
import type { Brake } from "./brake";

/** How long events gather for the reaction, and how long the last ones are on the way. */
const GATHERING_MILLISECONDS = 6_000;
const ARRIVING_MILLISECONDS = 2_000;
/** How long the rows are locked: less than the timeout of the reaction's function, of 30 s. */
const LOCKED_MILLISECONDS = 25_000;

/** What rows are locked in. */
export interface Locking {
  system: LocalSystem;
  writers: Gate;
  brake: Brake;
}

/**
 * Locks half of the rows that a module's reaction changes, while events wait for it in batches. Call it in quiet, with
 * the writers held.
 *
 * @param openWriters lets the writers go on
 * @returns undefined where no module has a reaction
 */
export async function lockRows(
  { system, writers, brake }: Locking,
  openWriters: () => void,
): Promise<LockedRows | undefined> {
  const { registry, database, tap } = system;
  const modules = registry.all.filter(({ kind }) => kind === "monolith-module");
  const [reaction] = modules.flatMap(({ name: domain, subscriptions, tables }) =>
    Object.entries(subscriptions).flatMap(([name, { kind }]) =>
      kind === "react" ? [{ domain, name, tables }] : [],
    ),
  );
  const [table] = Object.entries(reaction?.tables ?? {});
  if (!reaction || !table) return undefined;
  const client = new Client({ connectionString: database.adminUrl });
  await client.connect();
  let openAgain: (() => void) | undefined;
  const letGo = brake.hold(`${reaction.domain}-on-${reaction.name}`);
  try {
    openWriters();
    await delay(GATHERING_MILLISECONDS);
    openAgain = await writers.close();
    await delay(ARRIVING_MILLISECONDS);
    const key = escapeIdentifier(columnsOf(table[1]).key);
    await client.query("begin");
    const { rows } = await client.query<{ id: string }>(
      `select ${key}::text as id from ${escapeIdentifier(table[0])} where hashtext(${key}::text) % 2 = 0 order by ${key} for update`,
    );
    const events = tap.events().filter((event) => !rows.some(({ id }) => JSON.stringify(event).includes(id)));
    letGo();
    await delay(LOCKED_MILLISECONDS);
    const ended = await client.query<{ until: Date }>("select clock_timestamp() as until");
    return {
      consumer: `${reaction.domain}.${reaction.name}`,
      events: events.map(({ id }) => id),
      until: (ended.rows[0]?.until ?? new Date()).toISOString(),
    };
  } finally {
    letGo();
    openAgain?.();
    await client.end();
  }
}
