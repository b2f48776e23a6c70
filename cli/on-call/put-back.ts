import { type AttributeValue, DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import type { DynamoDBRecord } from "aws-lambda";
import { parsedJson } from "../../runtime/envelope/portable-data";
import { codedError } from "../../runtime/function/coded-error";
import { decodeDmsRecord } from "../../runtime/relay/kinesis-relay";
import { decodeOutboxImage } from "../../runtime/relay/dynamodb-relay";
import type { QuarantinedRecord } from "./quarantined-records";
import type { RunningSystem } from "../running-system";

/**
 * Puts a record back, so that its relay receives it again. A Kinesis record goes to its stream, with its
 * aggregate's key. A DynamoDB stream cannot be written to, so the record's outbox item is deleted and put
 * again: the stream then has a new insert, and the relay ignores the removal. In between, the record is still
 * in quarantine.
 *
 * @param corrected replaces the record's content
 * @throws PARTS_MISSING; PAYLOAD_UNDECODABLE, PAYLOAD_OF_ANOTHER for an unsuitable corrected content
 */
export async function putBack(
  clients: RunningSystem["clients"],
  record: QuarantinedRecord,
  corrected?: Buffer,
): Promise<void> {
  const payload = corrected ?? record.payload;
  if (!payload || !record.payload) {
    throw codedError(
      "PARTS_MISSING",
      `Parts of the record "${record.id}" are not in the quarantine queue. Another command may be reading them. Try again in 5 minutes.`,
    );
  }
  const service = record.stream.split(":")[2];
  if (service === "kinesis") await putOnStream(clients, record, payload, corrected !== undefined);
  else await putInOutbox(clients, record, payload, corrected !== undefined);
}

async function putOnStream(
  { kinesis }: RunningSystem["clients"],
  record: QuarantinedRecord,
  payload: Buffer,
  isCorrected: boolean,
): Promise<void> {
  const decoded = decodeDmsRecord(payload);
  if (isCorrected && decoded.kind !== "event") {
    throw undecodable(
      record,
      decoded.kind === "ignored" ? "It is not an insert into the outbox." : decoded.reason,
    );
  }
  await kinesis.send(
    new PutRecordCommand({
      StreamName: record.stream.split(":stream/")[1],
      PartitionKey: decoded.kind === "event" ? decoded.record.aggregateId : record.partitionKey,
      Data: payload,
    }),
  );
}

async function putInOutbox(
  { dynamodb }: RunningSystem["clients"],
  record: QuarantinedRecord,
  payload: Buffer,
  isCorrected: boolean,
): Promise<void> {
  const TableName = record.stream.split(":table/")[1]?.split("/")[0];
  const { NewImage = {} } = changeOf(payload) ?? {};
  const decoded = decodeOutboxImage(NewImage);
  if (isCorrected && decoded.kind !== "event") throw undecodable(record, decoded.reason);
  const Key = keyOf(NewImage);
  const own = keyOf(changeOf(record.payload)?.NewImage ?? {});
  if (JSON.stringify(Key) !== JSON.stringify(own)) {
    throw codedError(
      "PAYLOAD_OF_ANOTHER",
      `The corrected content has the key ${JSON.stringify(Key)}, but the record "${record.id}" has ${JSON.stringify(own)}. Keep aggregateKey and aggregateVersion.`,
    );
  }
  await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
  await dynamodb.send(new PutItemCommand({ TableName, Item: NewImage as Record<string, AttributeValue> }));
}

/** The change in a DynamoDB stream record; undefined if the payload is not JSON. */
function changeOf(payload: Buffer | undefined): DynamoDBRecord["dynamodb"] {
  return parsedJson(String(payload)) as DynamoDBRecord["dynamodb"];
}

/** The key of an outbox item (components/microservice/tables.ts). */
function keyOf(image: object): Record<string, AttributeValue> {
  const { aggregateKey, aggregateVersion } = image as Record<string, AttributeValue>;
  return { ...(aggregateKey && { aggregateKey }), ...(aggregateVersion && { aggregateVersion }) };
}

function undecodable({ id }: QuarantinedRecord, reason: string) {
  return codedError(
    "PAYLOAD_UNDECODABLE",
    `The corrected content of "${id}" cannot be decoded either: ${reason} See: domains quarantine show ${id}`,
  );
}
