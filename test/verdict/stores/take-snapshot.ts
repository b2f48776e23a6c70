import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalSystem } from "../../../local/system/system";
import type { Landscape } from "../facts";
import type { Snapshot } from "../snapshot";
import type { DynamoAudit } from "./audit-dynamodb";
import { failure, tablesUnknown } from "./failure";
import { dynamoTables, readDynamo } from "./read-dynamodb";
import { readPostgres } from "./read-postgres";
import { readQueues } from "./read-queues";

/** The parts of a running system that a snapshot reads. */
export type SnapshotSources = Pick<
  LocalSystem,
  "servers" | "database" | "clients" | "deployment" | "physicalTable" | "tap"
>;

/** How long no further event may be read. */
const BUS_TAP_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 50;
/** An event that no contract knows has reached nobody, as a dead letter has. */
const DEAD_LETTERS = /-dlq$|^unclaimed-queue$/;
/** Where the emulator writes what functions log. */
const FUNCTION_LOG = "emulator.log";
const QUARANTINE = /-quarantine$/;
/** Tables of the relays: keys of aggregates and versions, no contents. What is held shows as not published. */
const HOLDS = /-relay-holds$/;

/**
 * Reads all stores: the monolith's database and every DynamoDB table as an administrator, the dead-letter and
 * quarantine queues, the events that were on the bus, and what functions logged. Call it when everything has settled.
 *
 * @param dynamoAudit started before anything was written, as `installAudit` was called before that
 * @throws TABLE_UNKNOWN if there are tables that no domain registers; BUS_TAP_NOT_READ, QUEUE_NOT_READ
 */
export async function takeSnapshot(
  sources: SnapshotSources,
  dynamoAudit: DynamoAudit,
  landscape: Landscape,
): Promise<Snapshot> {
  const { servers, database, clients, deployment, physicalTable, tap } = sources;
  checkTables(deployment, landscape);
  await tapIsIdle(tap);
  const postgres = await readPostgres(database.adminUrl, landscape);
  const dynamo = await readDynamo(clients.dynamodb, physicalTable, landscape);
  const queues = deployment
    .byType("aws:sqs/queue:Queue")
    .map(({ name, state }) => ({ name, url: String(state["url"]) }));
  const messagesIn = (kind: RegExp) =>
    readQueues(
      clients.sqs,
      queues.filter(({ name }) => kind.test(name)),
    );
  return {
    changes: [...postgres.changes, ...(await dynamoAudit.changes())],
    entities: [...postgres.entities, ...dynamo.entities],
    outbox: [...postgres.outbox, ...dynamo.outbox],
    inbox: [...postgres.inbox, ...dynamo.inbox],
    projections: dynamo.projections,
    bus: tap.events(),
    deadLetters: await messagesIn(DEAD_LETTERS),
    quarantined: await messagesIn(QUARANTINE),
    log: await linesOf(join(servers.run.path, FUNCTION_LOG)),
  };
}

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, "utf8")).split("\n");
}

function checkTables(deployment: LocalSystem["deployment"], landscape: Landscape): void {
  const known = dynamoTables(landscape);
  const deployed = deployment.byType("aws:dynamodb/table:Table").map(({ name }) => name);
  const unknown = deployed.filter((name) => !known.includes(name) && !HOLDS.test(name));
  if (unknown.length > 0) throw tablesUnknown(unknown);
}

/**
 * Waits until the tap has read all its events.
 *
 * @throws BUS_TAP_NOT_READ
 */
export async function tapIsIdle(tap: LocalSystem["tap"]): Promise<void> {
  let [read, deadline] = [0, 0];
  while (!(await tap.isIdle())) {
    const { length } = tap.events();
    if (length !== read || deadline === 0) [read, deadline] = [length, Date.now() + BUS_TAP_MILLISECONDS];
    else if (Date.now() >= deadline) {
      throw failure(
        "BUS_TAP_NOT_READ",
        "The tap on the bus has not read all its events, and read none for a minute.",
      );
    }
    await delay(POLL_MILLISECONDS);
  }
}
