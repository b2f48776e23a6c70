import { codedError, errorCode } from "../../runtime/function/coded-error";
import { deleteMessage, inTens, withHeldMessages } from "./held-messages";
import { moveHold, raiseHold } from "./holds";
import { putBack } from "./put-back";
import { type Quarantine, type QuarantinedRecord, quarantinedRecords } from "./quarantined-records";
import { choose, type RunningSystem } from "../running-system";

/** A quarantined record, as it is listed. */
export interface ListedRecord {
  /** "<relay>/<sequence number>", to put it back by. */
  id: string;
  stream: string;
  sequenceNumber: string;
  /** "<domain>.<Aggregate>/<id>" and version of its event; absent if they cannot be told. */
  aggregateKey?: string;
  version?: number;
  reason: string;
  /** When it was quarantined, ISO 8601. */
  quarantinedAt: string;
  /** Size of its content; absent if parts are missing. */
  bytes?: number;
}

/** The result of putting a record back. */
export type PutBackResult = { id: string } & (
  { outcome: "put back" } | { outcome: "kept"; code: string; reason: string }
);

/**
 * Lists the quarantined records, relay by relay, oldest first, those of one aggregate by their versions; without
 * their content, which may be private.
 */
export async function listQuarantine(system: RunningSystem): Promise<ListedRecord[]> {
  const listed: ListedRecord[] = [];
  for (const relay of Object.keys(system.quarantineQueues).sort()) {
    const { records, foreign } = await inQuarantine(system, relay, (quarantine) =>
      Promise.resolve(quarantine),
    );
    listed.push(...records.map(listedRecord));
    const of = { stream: "", sequenceNumber: "", reason: "This message is not from a relay." };
    for (const { id, sentAt, body } of foreign) {
      listed.push({ id: `${relay}/${id}`, ...of, quarantinedAt: sentAt, bytes: Buffer.byteLength(body) });
    }
  }
  return listed;
}

/**
 * The content of a quarantined record, byte for byte.
 *
 * @throws NAME_UNKNOWN, NOT_QUARANTINED, PARTS_MISSING
 */
export async function showQuarantined(system: RunningSystem, id: string): Promise<Buffer> {
  return inQuarantine(system, relayOf(id), async ({ records }) => {
    const { payload } = recordNamed(records, id);
    if (payload) return payload;
    throw codedError("PARTS_MISSING", `Parts of the record "${id}" are not in the quarantine queue.`);
  });
}

/**
 * Puts a record back, so that its relay receives it again. It leaves the quarantine only once it is back. A
 * relay that still cannot decode it quarantines it again.
 *
 * @param corrected replaces the record's content
 * @throws NAME_UNKNOWN, NOT_QUARANTINED, PARTS_MISSING, PAYLOAD_UNDECODABLE, PAYLOAD_OF_ANOTHER, and the SDK's
 *   own errors
 */
export async function putBackRecord(
  system: RunningSystem,
  id: string,
  corrected?: Buffer,
): Promise<PutBackResult[]> {
  return inQuarantine(system, relayOf(id), async ({ records }) => {
    const record = recordNamed(records, id);
    await moveBack(system, relayOf(id), record, records, corrected);
    return [{ id, outcome: "put back" }];
  });
}

/**
 * Removes a record for good: its event never reaches the bus. The next event of its aggregate may, wherever it
 * is: in quarantine too, or on its way.
 *
 * @throws NAME_UNKNOWN, NOT_QUARANTINED, and the SDK's own errors
 */
export async function discardRecord(system: RunningSystem, id: string): Promise<void> {
  const { clients } = system;
  const relay = relayOf(id);
  await inQuarantine(system, relay, async ({ records }) => {
    const record = recordNamed(records, id);
    await moveHold(clients, holdsOf(system, relay), record, withoutRecord(records, record));
    await inTens(record.messages, (message) => deleteMessage(clients.sqs, message));
  });
}

/**
 * Puts all records back, as `putBackRecord` does, those of one aggregate in the order of their versions. Records that cannot be put back stay in quarantine, and are
 * reported as "kept".
 */
export async function putBackAll(system: RunningSystem): Promise<PutBackResult[]> {
  const results: PutBackResult[] = [];
  for (const relay of Object.keys(system.quarantineQueues).sort()) {
    await inQuarantine(system, relay, async ({ records }) => {
      for (const record of records) results.push(await tryToMoveBack(system, relay, record, records));
    });
  }
  return results;
}

async function tryToMoveBack(
  system: RunningSystem,
  relay: string,
  record: QuarantinedRecord,
  all: QuarantinedRecord[],
): Promise<PutBackResult> {
  const { id } = record;
  try {
    await moveBack(system, relay, record, all);
    return { id, outcome: "put back" };
  } catch (error) {
    const { message } = error as Error;
    return { id, outcome: "kept", code: errorCode(error) ?? "ERROR", reason: message };
  }
}

async function moveBack(
  system: RunningSystem,
  relay: string,
  record: QuarantinedRecord,
  all: QuarantinedRecord[],
  corrected?: Buffer,
): Promise<void> {
  const { clients } = system;
  // The first of its aggregate is next, also if events before it were lost from the quarantine.
  await raiseHold(clients, holdsOf(system, relay), record, all);
  await putBack(clients, record, corrected);
  await inTens(record.messages, (message) => deleteMessage(clients.sqs, message));
}

function inQuarantine<Result>(
  { clients, quarantineQueues }: RunningSystem,
  relay: string,
  work: (quarantine: Quarantine) => Promise<Result>,
): Promise<Result> {
  const queueUrl = choose("relay", relay, quarantineQueues);
  return withHeldMessages(clients.sqs, queueUrl, (held) => work(quarantinedRecords(relay, held)));
}

function holdsOf({ holdsTables }: RunningSystem, relay: string): string {
  return choose("relay", relay, holdsTables);
}

function withoutRecord(records: QuarantinedRecord[], { id }: QuarantinedRecord): QuarantinedRecord[] {
  return records.filter((record) => record.id !== id);
}

function relayOf(id: string): string {
  const [relay, number] = id.split("/");
  if (relay && number) return relay;
  throw codedError(
    "NOT_QUARANTINED",
    `"${id}" is not the ID of a quarantined record, such as "monolith/1". List them with: npm run domains -- quarantine list`,
  );
}

function recordNamed(records: QuarantinedRecord[], id: string): QuarantinedRecord {
  const found = records.find((record) => record.id === id);
  if (found) return found;
  const ids = records.map((record) => record.id).join(", ") || "none";
  throw codedError(
    "NOT_QUARANTINED",
    `There is no record "${id}" in quarantine. Quarantined records: ${ids}.`,
  );
}

function listedRecord(record: QuarantinedRecord): ListedRecord {
  const { id, stream, sequenceNumber, aggregateKey, version, reason, quarantinedAt, payload } = record;
  const event = aggregateKey !== undefined && version !== undefined ? { aggregateKey, version } : {};
  const content = payload && { bytes: payload.length };
  return { id, stream, sequenceNumber, ...event, reason, quarantinedAt, ...content };
}
