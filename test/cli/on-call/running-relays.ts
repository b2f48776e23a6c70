/** A bus, relays and their quarantine on an emulator, as `npm start` has them. */
import { CreateTableCommand, DescribeTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateEventBusCommand,
  type EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { vi } from "vitest";
import type { RunningSystem } from "../../../dist/cli/running-system.js";
import { emulatorClients } from "../../../dist/local/provision/emulator-clients.js";
import type { CloudEvent } from "../../../runtime/envelope/cloud-event";
import { makeDynamoRelay } from "../../../runtime/relay/dynamodb-relay";
import { makeKinesisRelay } from "../../../runtime/relay/kinesis-relay";
import { emulatorFixture, eventually, type ObservedSource } from "../../local/event-sources/emulator-fixture";
import { inProcess } from "../../local/event-sources/in-process";
import { BANK_TABLES, createBankTables } from "../../support/dynamodb/bank-tables";
import { BANK_EVENTS, outboxImage } from "../../support/domain/outbox-records";

const BUS = "domain-events";
const HOLDS_TABLES = { monolith: "monolith-relay-holds", bank: "bank-relay-holds" };
const READ_KINESIS = [
  "kinesis:DescribeStream",
  "kinesis:ListShards",
  "kinesis:GetShardIterator",
  "kinesis:GetRecords",
];
const READ_STREAM = [
  "dynamodb:DescribeStream",
  "dynamodb:GetShardIterator",
  "dynamodb:GetRecords",
  "dynamodb:ListStreams",
];

/** Starts the emulator, with a quarantine queue for the relay of the monolith and for that of "bank". Call it in a hook. */
export async function runningRelays() {
  const fixture = await emulatorFixture();
  const { endpoint, region } = fixture;
  await createBankTables(fixture);
  const clients = emulatorClients(endpoint, region);
  const [monolith, bank, tap] = await Promise.all([
    fixture.createQueue(),
    fixture.createQueue(),
    fixture.createQueue(),
  ]);
  await openBus(clients.events, tap.arn);
  const system: RunningSystem = {
    clients,
    commandFunctions: {},
    projectionTables: {},
    queues: {},
    quarantineQueues: { monolith: monolith.url, bank: bank.url },
    unclaimedQueue: "",
    holdsTables: { monolith: HOLDS_TABLES.monolith, bank: HOLDS_TABLES.bank },
  };
  for (const tableName of Object.values(HOLDS_TABLES)) await createHoldsTable(clients.dynamodb, tableName);
  const seen: CloudEvent[] = [];
  const receive = async () => {
    for (const body of await tap.bodies()) seen.push((JSON.parse(body) as { detail: CloudEvent }).detail);
  };
  vi.stubEnv("EVENT_BUS_NAME", BUS);

  return {
    system,
    quarantineQueues: { monolith, bank },
    async close() {
      clients.close();
      await fixture.close();
    },
    /** Waits until this event was on the bus. */
    untilPublished: (eventId: string) =>
      eventually(async () => {
        await receive();
        return seen.some(({ id }) => id === eventId);
      }),
    /** Ids of the events that were on the bus, in the order of their arrival. */
    published: () => seen.map(({ id }) => id),

    /** A stream with one shard, and the monolith's relay reading it for the length of the test. */
    async kinesisRelay() {
      const stream = await fixture.createStream();
      const functionName = await fixture.createFunction("async () => ({})");
      await fixture.allow(functionName, READ_KINESIS, stream.arn);
      vi.stubEnv("QUARANTINE_QUEUE_URL", monolith.url);
      vi.stubEnv("HOLDS_TABLE", HOLDS_TABLES.monolith);
      const invoke = inProcess(makeKinesisRelay(BANK_EVENTS).callbackFactory());
      const source = await start(fixture, invoke, { eventSourceArn: stream.arn, functionName });
      /** Puts records on the stream under one key; strings as they are, anything else as JSON. */
      const put = async (...records: unknown[]) => {
        for (const record of records) {
          const Data = Buffer.from(typeof record === "string" ? record : JSON.stringify(record));
          await clients.kinesis.send(
            new PutRecordCommand({ StreamName: stream.name, PartitionKey: "account-1", Data }),
          );
        }
      };
      return { stream, source, put };
    },

    /** The relay of the microservice "bank", reading its outbox table for the length of the test. */
    async outboxRelay() {
      const TableName = BANK_TABLES.outbox;
      const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName }));
      const eventSourceArn = Table?.LatestStreamArn ?? "";
      const functionName = await fixture.createFunction("async () => ({})");
      await fixture.allow(functionName, READ_STREAM, eventSourceArn);
      vi.stubEnv("QUARANTINE_QUEUE_URL", bank.url);
      vi.stubEnv("HOLDS_TABLE", HOLDS_TABLES.bank);
      const filterCriteria = { filters: [{ pattern: '{"eventName":["INSERT"]}' }] };
      const invoke = inProcess(makeDynamoRelay(BANK_EVENTS).callbackFactory());
      const source = await start(fixture, invoke, { eventSourceArn, functionName, filterCriteria });
      /** Puts an item into the outbox. */
      const put = (overrides: Parameters<typeof outboxImage>[0]) =>
        clients.dynamodb.send(new PutItemCommand({ TableName, Item: outboxImage(overrides) as never }));
      return { source, put };
    },
  };
}

async function createHoldsTable(dynamodb: RunningSystem["clients"]["dynamodb"], tableName: string) {
  await dynamodb.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "aggregateKey", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "aggregateKey", AttributeType: "S" }],
    }),
  );
}

async function openBus(events: EventBridgeClient, tapArn: string): Promise<void> {
  await events.send(new CreateEventBusCommand({ Name: BUS }));
  const on = { EventBusName: BUS };
  await events.send(new PutRuleCommand({ ...on, Name: "tap", EventPattern: '{"source":["bank"]}' }));
  await events.send(new PutTargetsCommand({ ...on, Rule: "tap", Targets: [{ Id: "tap", Arn: tapArn }] }));
}

function start(
  fixture: Awaited<ReturnType<typeof emulatorFixture>>,
  invoke: ReturnType<typeof inProcess>,
  mapping: Parameters<typeof fixture.start>[0],
): Promise<ObservedSource> {
  return fixture.start(
    {
      ...mapping,
      startingPosition: "TRIM_HORIZON",
      functionResponseTypes: ["ReportBatchItemFailures"],
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: -1,
      maximumRecordAgeInSeconds: -1,
    },
    { invoke },
  );
}
