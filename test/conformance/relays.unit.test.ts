import { makeDynamoRelay } from "../../runtime/relay/dynamodb-relay";
import { makeKinesisRelay } from "../../runtime/relay/kinesis-relay";
import {
  BANK_EVENTS,
  dmsRecord,
  dynamoStreamEvent,
  kinesisEvent,
  outboxImage,
} from "../support/domain/outbox-records";
import { relayConformance, type RelayedEvent } from "./relay-conformance";

const row = ({ id, aggregateId, version }: RelayedEvent) => ({
  id,
  aggregate_id: aggregateId,
  aggregate_version: version,
});

relayConformance("The monolith's relay", {
  relay: (records, context) =>
    makeKinesisRelay(BANK_EVENTS).callbackFactory()(kinesisEvent(records), context),
  added: (event) => dmsRecord(row(event)),
  ignored: [
    dmsRecord({}, { operation: "update" }),
    dmsRecord({}, { operation: "delete" }),
    dmsRecord({}, { "table-name": "awsdms_heartbeat" }),
    { metadata: { "record-type": "control", operation: "create-table", "table-name": "outbox" } },
  ],
  undecodable: "poison",
});

const image = ({ id, aggregateId, version }: RelayedEvent) =>
  outboxImage({ id: { S: id }, aggregateId: { S: aggregateId }, aggregateVersion: { N: String(version) } });

relayConformance("A microservice's relay", {
  relay: (records, context) =>
    makeDynamoRelay(BANK_EVENTS).callbackFactory()(
      dynamoStreamEvent(records as Parameters<typeof dynamoStreamEvent>[0]),
      context,
    ),
  added: (event) => ({ eventName: "INSERT", NewImage: image(event) }),
  ignored: [
    { eventName: "MODIFY", OldImage: outboxImage(), NewImage: outboxImage() },
    { eventName: "REMOVE", OldImage: outboxImage() },
  ],
  undecodable: { eventName: "INSERT", NewImage: outboxImage({ payload: { S: "{" } }) },
});
