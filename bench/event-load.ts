import { setTimeout as delay } from "node:timers/promises";
import { Kysely, PostgresDialect } from "kysely";
import pMap from "p-map";
import { Pool } from "pg";
import { v7 as uuid } from "uuid";
import type { Report } from "../local/servers/report";
import { databaseUrl } from "../local/system/database";
import type { LocalSystem } from "../local/system/system";
import { commitToPostgres } from "../runtime/postgres/commit";
import type { AnyDatabase } from "../runtime/postgres/statement";
import { postgresHandle } from "../runtime/postgres/store";
import type { StagedChange } from "../runtime/define/change";
import { prepareStatements } from "../runtime/postgres/prepared-statements";
import { newTraceparent } from "../runtime/envelope/cloud-event";
import { membersTable, newMember } from "./writers";

/** The delivery times of the events, in milliseconds since their commits. */
export interface EventsResult {
  events: number;
  /** Events that did not reach every subscriber. */
  lost: number;
  /** Committed events per second. */
  rate: number;
  captured: number[];
  published: number[];
  /** Subscription -> times when it was done. */
  done: Record<string, number[]>;
  /** Times when the last subscription was done. */
  every: number[];
}

const EVENTS_PER_SECOND = 100;
const SECONDS = 10;
const MEMBERS = 200;
const CONNECTIONS = 2;
const SOURCE = "members";
const MOVED = "MemberMoved";

/**
 * Moves members at a steady rate, writing as their command does, and follows each event to all subscribers.
 */
export async function runEvents(system: LocalSystem, report: Report): Promise<EventsResult> {
  const { database, flow } = system;
  const pool = new Pool({
    connectionString: databaseUrl(database, database.application),
    max: CONNECTIONS,
  });
  const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool: prepareStatements(pool) }) });
  try {
    report(`Registering ${MEMBERS} members ...`);
    const members = postgresHandle(db, "members", membersTable());
    const ids = await register(db, members);
    await flow.settled();
    report(`Moving them, ${EVENTS_PER_SECOND} events per second for ${SECONDS} s ...`);
    const { eventIds, rate } = await move(db, members, ids);
    await flow
      .settled()
      .catch((error: unknown) => report(`Not all events arrived: ${(error as Error).message}`));
    return resultOf(system, eventIds, rate);
  } finally {
    await db.destroy();
  }
}

type Members = ReturnType<typeof postgresHandle>;

async function register(db: Kysely<AnyDatabase>, members: Members): Promise<string[]> {
  const rows = Array.from({ length: MEMBERS }, newMember);
  await pMap(rows, (row) => commit(db, members.create(row).raise("MemberJoined")), {
    concurrency: CONNECTIONS,
  });
  return rows.map(({ memberId }) => memberId);
}

async function move(db: Kysely<AnyDatabase>, members: Members, ids: readonly string[]) {
  const started = performance.now();
  const writes: Promise<string>[] = [];
  for (let index = 0; index < EVENTS_PER_SECOND * SECONDS; index += 1) {
    await delay(Math.max(0, started + (index * 1_000) / EVENTS_PER_SECOND - performance.now()));
    const [id, city] = [ids[index % ids.length] ?? "", `City ${index}`];
    const written = members
      .get(id)
      .then((member) => commit(db, members.update(member, { city }).raise(MOVED, { from: "", to: city })));
    // Awaited below; this prevents an unhandled rejection until then.
    written.catch(() => {});
    writes.push(written);
  }
  const eventIds = await Promise.all(writes);
  return { eventIds, rate: (eventIds.length * 1_000) / (performance.now() - started) };
}

async function commit(db: Kysely<AnyDatabase>, staged: StagedChange): Promise<string> {
  const committed = await commitToPostgres(db, [staged], {
    correlationId: uuid(),
    traceparent: newTraceparent(),
  });
  if (committed.outcome !== "committed")
    throw new Error(`A write ended in "${committed.outcome}" and was not committed.`);
  return committed.changes[0]?.eventId ?? "";
}

function resultOf({ journal, topology }: LocalSystem, eventIds: string[], rate: number): EventsResult {
  const subscribers = topology.subscribersOf({ source: SOURCE, type: MOVED });
  const result: EventsResult = {
    events: eventIds.length,
    lost: 0,
    rate,
    captured: [],
    published: [],
    done: Object.fromEntries(subscribers.map((subscriber) => [subscriber, []])),
    every: [],
  };
  for (const eventId of eventIds) {
    const journey = journal.get(eventId);
    const times = subscribers.map((subscriber) => journey?.deliveries.get(subscriber)?.doneAt);
    if (!journey || subscribers.length === 0 || times.includes(undefined)) {
      result.lost += 1;
      continue;
    }
    const { committedAt, capturedAt = NaN, publishedAt = NaN } = journey;
    result.captured.push(capturedAt - committedAt);
    result.published.push(publishedAt - committedAt);
    const done = times.map((at) => Number(at) - committedAt);
    for (const [index, subscriber] of subscribers.entries())
      result.done[subscriber]?.push(done[index] ?? NaN);
    result.every.push(Math.max(...done));
  }
  return result;
}
