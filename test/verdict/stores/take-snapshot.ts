import { setTimeout as delay } from "node:timers/promises";
import type { LocalSystem } from "../../../local/system/system";
import type { DynamoAudit } from "./audit-dynamodb";
import { failure } from "../failure";
import { dynamoTables, readDynamo } from "./read-dynamodb";
import { readPostgres, tablesUnknown } from "./read-postgres";
import { readQueues } from "./read-queues";
import type { Landscape } from "../facts";
import type { Snapshot } from "../snapshot";

/** What the snapshot needs of a running system. */
export type SnapshotSources = Pick<
  LocalSystem,
  "database" | "clients" | "deployment" | "physicalTable" | "tap"
>;

const BUS_TAP_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 50;
/** Queues where messages wait for a person. */
const PARKING_QUEUE = /-(dlq|quarantine)$/;

/**
 * Reads all that the stores hold: the monolith's database and every table as an administrator, what is set aside in queues, and what was
 * on the bus. To be called when everything has settled.
 *
 * @param dynamoAudit started before anything was written, as `installAudit` was called before that
 * @throws TABLE_UNKNOWN if there are tables that no domain registers; BUS_TAP_NOT_READ, QUEUE_NOT_READ
 */
export async function takeSnapshot(
  sources: SnapshotSources,
  dynamoAudit: DynamoAudit,
  landscape: Landscape,
): Promise<Snapshot> {
  const { database, clients, deployment, physicalTable, tap } = sources;
  checkTables(deployment, landscape);
  await tapIsIdle(tap);
  const postgres = await readPostgres(database.adminUrl, landscape);
  const dynamo = await readDynamo(clients.dynamodb, physicalTable, landscape);
  const queues = deployment
    .byType("aws:sqs/queue:Queue")
    .filter(({ name }) => PARKING_QUEUE.test(name))
    .map(({ name, state }) => ({ name, url: String(state["url"]) }));
  return {
    changes: [...postgres.changes, ...(await dynamoAudit.changes())],
    entities: [...postgres.entities, ...dynamo.entities],
    outbox: [...postgres.outbox, ...dynamo.outbox],
    inbox: [...postgres.inbox, ...dynamo.inbox],
    projections: dynamo.projections,
    bus: tap.events(),
    setAside: await readQueues(clients.sqs, queues),
  };
}

function checkTables(deployment: LocalSystem["deployment"], landscape: Landscape): void {
  const known = dynamoTables(landscape);
  const deployed = deployment.byType("aws:dynamodb/table:Table").map(({ name }) => name);
  const unknown = deployed.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw tablesUnknown(unknown);
}

async function tapIsIdle(tap: LocalSystem["tap"]): Promise<void> {
  const deadline = Date.now() + BUS_TAP_MILLISECONDS;
  while (!(await tap.isIdle())) {
    if (Date.now() >= deadline)
      throw failure("BUS_TAP_NOT_READ", "The tap of the bus has not read all its events.");
    await delay(POLL_MILLISECONDS);
  }
}
