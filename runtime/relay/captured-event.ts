import type { EventData } from "../contract";
import type { OutboxRecord } from "../cloud-event";

/** What a stream captured of an outbox row or item; nothing of it has been looked at yet. */
export type CapturedFields = { [F in keyof Omit<OutboxRecord, "data"> | "payload"]?: unknown };

/** An outbox record, or why it is none. */
export type DecodedEvent = { kind: "event"; record: OutboxRecord } | { kind: "undecodable"; reason: string };

const TEXTS = ["id", "aggregate", "aggregateId", "type", "payload", "occurredAt", "correlationId"] as const;
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
  if (!/^[^.]+\.[^.]+$/.test(texts.aggregate)) {
    return undecodable('The aggregate is not named "<domain>.<Aggregate>".');
  }
  const data = dataOf(texts.payload);
  if (!data) return undecodable("The payload is not JSON with change and state.");
  const occurredAt = new Date(inUtc(texts.occurredAt));
  if (Number.isNaN(occurredAt.getTime())) return undecodable("occurredAt is not a time.");
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
      occurredAt: occurredAt.toISOString(),
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
    if (typeof data !== "object" || data === null || !("change" in data) || !("state" in data))
      return undefined;
    return { change: data.change, state: data.state };
  } catch {
    return undefined;
  }
}

/** A time without a zone is UTC: DMS converts timestamptz and may leave the zone out. */
function inUtc(time: string): string {
  return /(Z|[+-]\d\d(:?\d\d)?)$/i.test(time) ? time : `${time.replace(" ", "T")}Z`;
}

/** DMS leaves null columns out unless told otherwise, and may send empty text for them. */
function optional(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
