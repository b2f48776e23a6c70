import { randomBytes } from "node:crypto";
import type { AnyAggregate, EventData } from "../define/aggregate";
import { codedError } from "../function/coded-error";
import { dataFault, ID_RULE, isId, placeOf } from "./portable-data";

/**
 * A domain event in its envelope: CloudEvents 1.0 in structured JSON, the `detail` of the EventBridge event.
 */
export interface CloudEvent {
  specversion: "1.0";
  /** UUIDv7. */
  id: string;
  /** The domain. */
  source: string;
  /** The event type. */
  type: string;
  /** The aggregate's id. */
  subject: string;
  /** When it happened, ISO 8601. */
  time: string;
  datacontenttype: "application/json";
  /** Names domain, aggregate, event type and schema version. */
  dataschema: string;
  /** The aggregate's version, as the CloudEvents extension "sequence" spells it: a string. */
  sequence: string;
  sequencetype: "Integer";
  correlationid: string;
  causationid?: string;
  traceparent?: string;
  data: EventData;
}

/** An event as it is kept in an outbox. */
export interface OutboxRecord {
  id: string;
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  aggregateId: string;
  aggregateVersion: number;
  type: string;
  schemaVersion: number;
  data: EventData;
  /** ISO 8601. */
  occurredAt: string;
  correlationId: string;
  causationId?: string | undefined;
  traceparent?: string | undefined;
}

/** Puts an outbox record into its envelope. */
export function toCloudEvent(record: OutboxRecord): CloudEvent {
  const [domain = "", aggregate = ""] = record.aggregate.split(".");
  return {
    specversion: "1.0",
    id: record.id,
    source: domain,
    type: record.type,
    subject: record.aggregateId,
    time: record.occurredAt,
    datacontenttype: "application/json",
    dataschema: `urn:domain-event:${domain}:${aggregate}:${record.type}:${record.schemaVersion}`,
    sequence: String(record.aggregateVersion),
    sequencetype: "Integer",
    correlationid: record.correlationId,
    ...(record.causationId ? { causationid: record.causationId } : {}),
    ...(record.traceparent ? { traceparent: record.traceparent } : {}),
    data: record.data,
  };
}

/** An event as a subscriber reads it. */
export interface ReceivedEvent {
  event: CloudEvent;
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  version: number;
  schemaVersion: number;
}

/** Attributes that subscribers rely on. */
const REQUIRED = [
  "id",
  "source",
  "type",
  "subject",
  "time",
  "dataschema",
  "sequence",
  "correlationid",
] as const;
/** Attributes that become part of keys and of further events. */
const IDS = ["id", "subject", "correlationid", "causationid", "traceparent"] as const;

/**
 * Reads the domain event in the `detail` of an EventBridge event.
 *
 * @throws EVENT_MALFORMED when it is not a valid domain event; no part of it may be applied then
 */
export function readCloudEvent(bridgeEvent: unknown): ReceivedEvent {
  const event = (bridgeEvent as { detail?: unknown } | null)?.detail as Partial<CloudEvent> | undefined;
  if (typeof event !== "object" || event === null) throw malformed("has no detail");
  const missing = REQUIRED.find((name) => typeof event[name] !== "string" || event[name] === "");
  if (missing) throw malformed(`has no "${missing}"`);
  const noId = IDS.find((name) => event[name] !== undefined && !isId(event[name]));
  if (noId) throw malformed(`has a "${noId}" that is not ${ID_RULE}`);
  if (!isTime(event.time ?? "")) throw malformed('has a "time" that is not one of RFC 3339');
  const version = countOf(event.sequence);
  if (version === undefined) throw malformed('has a "sequence" that is not a whole number of at least 1');
  const [, , , aggregate = "", , schema = ""] = (event.dataschema ?? "").split(":");
  const schemaVersion = countOf(schema);
  const expected = `urn:domain-event:${event.source}:${aggregate}:${event.type}:${schema}`;
  if (!aggregate || schemaVersion === undefined || event.dataschema !== expected) {
    throw malformed('has a "dataschema" that does not name its source and type');
  }
  const { change, state } = (event.data ?? {}) as Partial<EventData>;
  if (!isObject(change)) throw malformed("has no data.change");
  if (state !== null && !isObject(state)) throw malformed("has no data.state");
  const fault = dataFault(change) ?? dataFault(state);
  if (fault) throw malformed(`has data in which ${placeOf(fault)} ${fault.message}`);
  return { event: event as CloudEvent, aggregate: `${event.source}.${aggregate}`, version, schemaVersion };
}

/**
 * The event's data in the current schema version: an older version is upcast, a newer one is read as it is
 * (tolerant reader).
 */
export function currentData(aggregate: AnyAggregate, received: ReceivedEvent): EventData {
  const { type } = received.event;
  const contract = Object.hasOwn(aggregate.events, type) ? aggregate.events[type] : undefined;
  const { data } = received.event;
  if (!contract?.upcast || received.schemaVersion >= contract.version) return data;
  return contract.upcast(data, received.schemaVersion);
}

/** Parses a whole number of at least 1, without sign or leading zeros. */
function countOf(text: string | undefined): number | undefined {
  const count = Number(text);
  return /^[1-9]\d*$/.test(text ?? "") && Number.isSafeInteger(count) ? count : undefined;
}

/** Whether it is a CloudEvents timestamp (RFC 3339). */
function isTime(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(what: string) {
  return codedError(
    "EVENT_MALFORMED",
    `The message is not a domain event: it ${what}. Look at the publisher; the message goes to the dead-letter queue.`,
  );
}

/** A new W3C trace context: version, trace id, span id, sampled. */
export function newTraceparent(): string {
  const ids = randomBytes(24).toString("hex");
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`;
}

/** A new span in the same trace; a new trace when there is none to continue. */
export function childTraceparent(traceparent: string | undefined): string {
  const match = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(traceparent ?? "");
  return match ? `00-${match[1]}-${randomBytes(8).toString("hex")}-${match[2]}` : newTraceparent();
}
