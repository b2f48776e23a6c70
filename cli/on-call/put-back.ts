import { type AttributeValue, DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import type { DynamoDBRecord } from "aws-lambda";
import { codedError } from "../../runtime/function/coded-error";
import { decodeDmsRecord } from "../../runtime/relay/kinesis-relay";
import { decodeOutboxImage } from "../../runtime/relay/dynamodb-relay";
import type { QuarantinedRecord } from "./quarantined-records";
import type { RunningSystem } from "../running-system";

/**
 * Puts a record back where its relay takes it again: a record of Kinesis on its stream, under its aggregate's key. A DynamoDB
 * stream cannot be written, so the outbox item that it told of is removed and put again: its stream tells of the insertion
 * anew, and the relay ignores removals. In between, the quarantine still holds it.
 *
 * @param corrected the content to put in the place of the record's own
 * @throws PARTS_MISSING; PAYLOAD_UNDECODABLE, PAYLOAD_OF_ANOTHER for a corrected content that would not do
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
      `Parts of the record "${record.id}" are not in the quarantine queue. Somebody may look at them at this moment: try again in 5 minutes.`,
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
      decoded.kind === "ignored" ? "It does not tell of an insert into the outbox." : decoded.reason,
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
      `The corrected content is of "${JSON.stringify(Key)}", and the record "${record.id}" of "${JSON.stringify(own)}". Keep aggregateKey and aggregateVersion.`,
    );
  }
  await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
  await dynamodb.send(new PutItemCommand({ TableName, Item: NewImage as Record<string, AttributeValue> }));
}

/** The change as the stream told it, if the payload is one. */
function changeOf(payload: Buffer | undefined): DynamoDBRecord["dynamodb"] {
  try {
    return JSON.parse(String(payload)) as DynamoDBRecord["dynamodb"];
  } catch {
    return undefined;
  }
}

/** The key of an outbox item, see components/microservice/tables.ts. */
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
