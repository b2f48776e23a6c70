import type { EventData } from "../define/aggregate";
import type { OutboxRecord } from "../envelope/cloud-event";
import { shortened } from "../function/coded-error";
import { ID_RULE, isId } from "../envelope/identifier";
import { dataFault } from "../envelope/plain-data";

/** What a stream captured of an outbox row or item; nothing of it has been looked at yet. */
export type CapturedFields = { [F in keyof Omit<OutboxRecord, "data"> | "payload"]?: unknown };

/** An outbox record, or why it is none. */
export type DecodedEvent = { kind: "event"; record: OutboxRecord } | { kind: "undecodable"; reason: string };

const TEXTS = ["id", "aggregate", "aggregateId", "type", "payload", "occurredAt", "correlationId"] as const;
/** What subscribers take for ids or names. */
const IDS = [
  "id",
  "aggregate",
  "aggregateId",
  "type",
  "correlationId",
  "causationId",
  "traceparent",
] as const;
/** Characters of an event's type, which is the bus's DetailType. Source: Amazon EventBridge API, PutEventsRequestEntry. */
const MAX_TYPE_CHARACTERS = 128;
const NUMBERS = ["aggregateVersion", "schemaVersion"] as const;

/**
 * Makes an outbox record of what a stream captured. Whatever the bus or subscribers would refuse is refused here: it would
 * otherwise be retried for ever, and all that follows it in its shard would wait.
 */
export function decodeCaptured(captured: CapturedFields): DecodedEvent {
  const wrong = [
    ...TEXTS.filter((name) => typeof captured[name] !== "string" || captured[name] === ""),
    ...NUMBERS.filter((name) => !isCount(captured[name])),
  ];
  if (wrong.length > 0) return undecodable(`Missing or wrong: ${wrong.join(", ")}.`);
  const texts = captured as Record<(typeof TEXTS)[number], string>;
  const noId = IDS.find((name) => optional(captured[name]) !== undefined && !isId(captured[name]));
  if (noId) return undecodable(`${noId} is not ${ID_RULE}.`);
  // Both become parts of the dataschema, between colons.
  if (!/^[^.:]+\.[^.:]+$/.test(texts.aggregate)) {
    return undecodable('The aggregate is not named "<domain>.<Aggregate>".');
  }
  if (texts.type.length > MAX_TYPE_CHARACTERS || texts.type.includes(":")) {
    return undecodable(`The type is longer than ${MAX_TYPE_CHARACTERS} characters, or has a colon.`);
  }
  const data = dataOf(texts.payload);
  if (!data) return undecodable("The payload is not JSON with change and state.");
  const fault = dataFault(data.change) ?? dataFault(data.state);
  if (fault) return undecodable(shortened(`In the payload, "${fault.path.join(".")}" ${fault.message}`));
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
  try {
    const data = JSON.parse(payload) as Partial<EventData> | null;
    const { change, state } = data ?? {};
    return isObject(change) && (state === null || isObject(state)) ? { change, state } : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Years of other than four digits are no times to CloudEvents. */
function timeOf(text: string): string | undefined {
  const time = new Date(inUtc(text));
  if (Number.isNaN(time.getTime())) return undefined;
  const iso = time.toISOString();
  return /^\d{4}-/.test(iso) ? iso : undefined;
}

/** A time without a zone is UTC: DMS converts timestamptz and may leave the zone out. */
function inUtc(time: string): string {
  return /(Z|[+-]\d\d(:?\d\d)?)$/i.test(time) ? time : `${time.replace(" ", "T")}Z`;
}

/** DMS leaves null columns out unless told otherwise, and may send empty text for them. */
function optional(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
