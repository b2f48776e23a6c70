import { setTimeout as delay } from "node:timers/promises";
import { Client, escapeIdentifier } from "pg";
import type { LocalSystem } from "../../../local/system/system";
import { columnsOf } from "../../../runtime/postgres/columns";
import type { LockedRows } from "../../verdict/writers-journal";
import type { Gate } from "../writers/gate";
import type { Brake } from "./brake";

/** How many events gather for the reaction, for how long at most, and how long the last ones are on the way. */
const GATHERED = 14;
const GATHERING_MILLISECONDS = 30_000;
const ARRIVING_MILLISECONDS = 2_000;
const POLL_MILLISECONDS = 200;
/**
 * How long rows are locked. The reaction's function has 30 s for a batch of ten, so that a message that waits for a row
 * has 3 s; what waits behind eight such messages is done before.
 */
const LOCKED_MILLISECONDS = 23_000;

/** What rows are locked in. */
export interface Locking {
  system: LocalSystem;
  writers: Gate;
  brake: Brake;
}

/**
 * Locks half of the rows that the events concern which wait in batches for a module's reaction. Call it in quiet, with
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
    Object.entries(subscriptions).flatMap(([name, one]) =>
      one.kind === "react" ? [{ domain, name, tables, types: Object.keys(one.on) }] : [],
    ),
  );
  const [table] = Object.entries(reaction?.tables ?? {});
  if (!reaction || !table) return undefined;
  const known = tap.events().length;
  const gathered = () =>
    tap
      .events()
      .slice(known)
      .filter(({ type }) => reaction.types.includes(type))
      .map((event) => ({ id: event.id, text: JSON.stringify(event) }));
  const client = new Client({ connectionString: database.adminUrl });
  await client.connect();
  let openAgain: (() => void) | undefined;
  const letGo = brake.hold(`${reaction.domain}-on-${reaction.name}`);
  try {
    openWriters();
    const latest = Date.now() + GATHERING_MILLISECONDS;
    while (gathered().length < GATHERED && Date.now() < latest) await delay(POLL_MILLISECONDS);
    openAgain = await writers.close();
    await delay(ARRIVING_MILLISECONDS);
    const events = gathered();
    const [from, key] = [table[0], columnsOf(table[1]).key].map(escapeIdentifier);
    const { rows } = await client.query<{ id: string }>(
      `select ${key}::text as id from ${from} order by ${key}`,
    );
    const concerned = rows.filter(({ id }) => events.some(({ text }) => text.includes(id)));
    const locked = concerned.filter((_, index) => index % 2 === 0).map(({ id }) => id);
    await client.query("begin");
    await client.query(`select from ${from} where ${key}::text = any($1) for update`, [locked]);
    letGo();
    await delay(LOCKED_MILLISECONDS);
    const ended = await client.query<{ until: Date }>("select clock_timestamp() as until");
    return {
      consumer: `${reaction.domain}.${reaction.name}`,
      events: events.filter(({ text }) => !locked.some((id) => text.includes(id))).map(({ id }) => id),
      until: (ended.rows[0]?.until ?? new Date()).toISOString(),
    };
  } finally {
    letGo();
    openAgain?.();
    await client.end();
  }
}
