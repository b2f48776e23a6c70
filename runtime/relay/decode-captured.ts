import type { EventData } from "../define/aggregate";
import type { OutboxRecord } from "../envelope/cloud-event";
import { dataFault, ID_RULE, isId, parsedJson, placeOf } from "../envelope/portable-data";

/** An outbox row or item as a stream captured it; nothing in it has been checked. */
export type CapturedFields = { [F in keyof Omit<OutboxRecord, "data"> | "payload"]?: unknown };

/** Which event a record is about. */
export type EventIdentity = Pick<OutboxRecord, "aggregate" | "aggregateId" | "aggregateVersion">;

/** An outbox record, or why it cannot be decoded, and which event it is where that can be told. */
export type DecodedEvent =
  { kind: "event"; record: OutboxRecord } | { kind: "undecodable"; reason: string; identity?: EventIdentity };

const TEXTS = ["id", "aggregate", "aggregateId", "type", "payload", "occurredAt", "correlationId"] as const;
/** Fields that subscribers use as ids or names. */
const IDS = [
  "id",
  "aggregate",
  "aggregateId",
  "type",
  "correlationId",
  "causationId",
  "traceparent",
] as const;
/**
 * Characters of an event's type, which becomes the DetailType on the bus. Source: Amazon EventBridge API,
 * PutEventsRequestEntry.
 */
const MAX_TYPE_CHARACTERS = 128;
const NUMBERS = ["aggregateVersion", "schemaVersion"] as const;

/**
 * Decodes a captured outbox row or item. It refuses everything that the bus or subscribers would refuse: that
 * fail again and again, and everything of its aggregate would wait behind it.
 */
export function decodeCaptured(captured: CapturedFields): DecodedEvent {
  const decoded = decodeFields(captured);
  if (decoded.kind === "event") return decoded;
  const identity = identityOf(captured);
  return identity ? { ...decoded, identity } : decoded;
}

function identityOf({ aggregate, aggregateId, aggregateVersion }: CapturedFields): EventIdentity | undefined {
  if (!isId(aggregate) || !isId(aggregateId) || !isCount(aggregateVersion)) return undefined;
  return { aggregate, aggregateId, aggregateVersion: Number(aggregateVersion) };
}

function decodeFields(captured: CapturedFields): DecodedEvent {
  const wrong = [
    ...TEXTS.filter((name) => typeof captured[name] !== "string" || captured[name] === ""),
    ...NUMBERS.filter((name) => !isCount(captured[name])),
  ];
  if (wrong.length > 0) return undecodable(`Missing or wrong: ${wrong.join(", ")}.`);
  const texts = captured as Record<(typeof TEXTS)[number], string>;
  const noId = IDS.find((name) => optional(captured[name]) !== undefined && !isId(captured[name]));
  if (noId) return undecodable(`${noId} is not ${ID_RULE}.`);
  // Both names become parts of the dataschema, separated by colons.
  if (!/^[^.:]+\.[^.:]+$/.test(texts.aggregate)) {
    return undecodable('The aggregate is not named "<domain>.<Aggregate>".');
  }
  if (texts.type.length > MAX_TYPE_CHARACTERS || texts.type.includes(":")) {
    return undecodable(`The type is longer than ${MAX_TYPE_CHARACTERS} characters, or has a colon.`);
  }
  const data = dataOf(texts.payload);
  if (!data) return undecodable("The payload is not JSON with change and state.");
  const fault = dataFault(data.change) ?? dataFault(data.state);
  if (fault) return undecodable(`In the payload, ${placeOf(fault)} ${fault.message}.`);
  const occurredAt = timeOf(texts.occurredAt);
  if (!occurredAt) return undecodable("occurredAt is not a time.");
  return {
    kind: "event",
    record: {
      id: texts.id,
      aggregate: texts.aggregate,
      aggregateId: texts.aggregateId,
      aggregateVersion: Number(captured.aggregateVersion),
      type: texts.type,
      schemaVersion: Number(captured.schemaVersion),
      data,
      occurredAt,
      correlationId: texts.correlationId,
      causationId: optional(captured.causationId),
      traceparent: optional(captured.traceparent),
    },
  };
}

function undecodable(reason: string): DecodedEvent {
  return { kind: "undecodable", reason };
}

/** Streams carry numbers as numbers or as text. */
function isCount(value: unknown): boolean {
  return (
    (typeof value === "number" || typeof value === "string") &&
    /^[1-9]\d*$/.test(String(value)) &&
    Number.isSafeInteger(Number(value))
  );
}

function dataOf(payload: string): EventData | undefined {
  const { change, state } = (parsedJson(payload) ?? {}) as Partial<EventData>;
  return isObject(change) && (state === null || isObject(state)) ? { change, state } : undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** CloudEvents allows years of four digits only. */
function timeOf(text: string): string | undefined {
  const time = new Date(inUtc(text));
  if (Number.isNaN(time.getTime())) return undefined;
  const iso = time.toISOString();
  return /^\d{4}-/.test(iso) ? iso : undefined;
}

/** A time without a zone is in UTC: DMS converts timestamptz and may omit the zone. */
function inUtc(time: string): string {
  return /(Z|[+-]\d\d(:?\d\d)?)$/i.test(time) ? time : `${time.replace(" ", "T")}Z`;
}

/** DMS omits null columns by default, and may send an empty text for them. */
function optional(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
