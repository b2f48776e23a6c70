import type { DynamoDBRecord, KinesisStreamRecord, SQSRecord } from "aws-lambda";
import { parsedJson } from "../../runtime/envelope/portable-data";
import type { CapturedRecord } from "../capture/capture";
import type { Observation } from "../event-sources/observation";
import type { EventHeader, Journal } from "./journey";

/**
 * The header of the event in a captured record; undefined for removals by retention, which are captured too
 * but are not events.
 */
export function capturedHeader({ operation, row, committedAt }: CapturedRecord): EventHeader | undefined {
  if (operation !== "insert") return undefined;
  return {
    eventId: String(row["id"]),
    source: String(row["aggregate"]).split(".")[0] ?? "",
    type: String(row["type"]),
    aggregateId: String(row["aggregate_id"]),
    version: Number(row["aggregate_version"]),
    committedAt,
  };
}

/**
 * Records the activity of an event source in the journal: a table's stream shows captured events, a relay's
 * success shows published ones, a queue shows delivered and finished ones. The stand-in for DMS records the
 * events that it puts on the Kinesis stream itself.
 *
 * @param subscriptionOf physical function name -> its subscription; undefined for relays
 */
export function recordObservation(
  journal: Journal,
  subscriptionOf: (functionName: string) => string | undefined,
  observation: Observation,
): void {
  const { kind, at, functionName, service } = observation;
  if (kind !== "received" && kind !== "succeeded" && kind !== "failed") return;
  for (const record of observation.records) {
    if (service === "sqs") {
      recordMessage(journal, subscriptionOf(functionName) ?? functionName, kind, at, record as SQSRecord);
    } else if (service === "dynamodb") {
      recordStreamItem(journal, kind, at, record as DynamoDBRecord);
    } else if (kind === "succeeded") {
      const eventId = eventIdOfCapture(record as KinesisStreamRecord);
      if (eventId) journal.published(eventId, at);
    }
  }
}

function recordMessage(
  journal: Journal,
  subscription: string,
  kind: "received" | "succeeded" | "failed",
  at: number,
  message: SQSRecord,
): void {
  const eventId = (parsedJson(message.body) as { detail?: { id?: string } } | undefined)?.detail?.id;
  if (!eventId) return;
  if (kind === "received") journal.queued(eventId, subscription, Number(message.attributes.SentTimestamp));
  else if (kind === "succeeded") journal.done(eventId, subscription, at);
  else journal.failed(eventId, subscription);
}

function recordStreamItem(
  journal: Journal,
  kind: "received" | "succeeded" | "failed",
  at: number,
  record: DynamoDBRecord,
): void {
  const event = headerOfItem(record);
  if (!event) return;
  if (kind === "received") journal.captured(event, at);
  else if (kind === "succeeded") journal.published(event.eventId, at);
}

function headerOfItem({ eventName, dynamodb }: DynamoDBRecord): EventHeader | undefined {
  const image = dynamodb?.NewImage;
  if (eventName !== "INSERT" || !image?.id?.S) return undefined;
  return {
    eventId: image.id.S,
    source: image.aggregate?.S?.split(".")[0] ?? "",
    type: image.type?.S ?? "",
    aggregateId: image.aggregateId?.S ?? "",
    version: Number(image.aggregateVersion?.N),
    committedAt: Date.parse(image.occurredAt?.S ?? ""),
  };
}

function eventIdOfCapture({ kinesis }: KinesisStreamRecord): string | undefined {
  const text = Buffer.from(kinesis.data, "base64").toString();
  return (parsedJson(text) as { data?: { id?: string } } | undefined)?.data?.id;
}
