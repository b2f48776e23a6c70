import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Emulator } from "../../../dist/local/servers/emulator/emulator.js";
import { startEmulator } from "../../../dist/local/servers/emulator/start-emulator.js";
import { openRunDirectory } from "../../../dist/local/servers/run/run-directory.js";
import { startDynamoAudit } from "../../../dist/test/verdict/stores/audit-dynamodb.js";
import { dynamoTables, readDynamo } from "../../../dist/test/verdict/stores/read-dynamodb.js";
import { readQueues } from "../../../dist/test/verdict/stores/read-queues.js";
import { shopLandscape } from "../../support/verdict/landscape.js";

const LANDSCAPE = shopLandscape();

/** Key of each table that has another than "aggregateId". */
const KEYS: Readonly<Record<string, string[]>> = {
  "orders-orders-table": ["orderId"],
  "shipping-shipments-table": ["shipmentId"],
  "orders-outbox": ["aggregateKey", "aggregateVersion"],
  "shipping-outbox": ["aggregateKey", "aggregateVersion"],
  "orders-inbox": ["messageId", "consumer"],
  "shipping-inbox": ["messageId", "consumer"],
};
const physical = (logicalName: string) => `${logicalName}-1234567`;
const ORDERS = physical("orders-orders-table");

let emulator: Emulator;
let dynamodb: DynamoDBClient;
let sqs: SQSClient;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  const run = await openRunDirectory(process.cwd());
  closing.push(() => run.close());
  emulator = await startEmulator({ run, report: () => undefined, persist: true });
  closing.push(() => emulator.stop());
  dynamodb = new DynamoDBClient(emulator);
  sqs = new SQSClient({ ...emulator, useQueueUrlAsEndpoint: false });
  for (const table of dynamoTables(LANDSCAPE)) {
    const [hash = "aggregateId", range] = KEYS[table] ?? [];
    const names = range === undefined ? [hash] : [hash, range];
    await dynamodb.send(
      new CreateTableCommand({
        TableName: physical(table),
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: names.map((AttributeName, index) => ({
          AttributeName,
          KeyType: index === 0 ? "HASH" : "RANGE",
        })),
        AttributeDefinitions: names.map((AttributeName) => ({
          AttributeName,
          AttributeType: AttributeName === "aggregateVersion" ? "N" : "S",
        })),
      }),
    );
  }
});
afterAll(async () => {
  dynamodb.destroy();
  sqs.destroy();
  for (const close of closing.reverse()) await close();
});

const put = (table: string, Item: Record<string, AttributeValue>) =>
  dynamodb.send(new PutItemCommand({ TableName: physical(table), Item }));

const createQueue = async (Attributes: Record<string, string> = {}): Promise<string> => {
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID(), Attributes }));
  return QueueUrl;
};

test("every change of an entity table is recorded in its order, from the moment the audit starts", async () => {
  const audit = await startDynamoAudit(emulator, physical, LANDSCAPE);
  const [orderId, other] = [randomUUID(), randomUUID()];
  const item = (version: number, more: Record<string, AttributeValue>) => ({
    ...{ orderId: { S: orderId }, version: { N: String(version) } },
    ...more,
  });
  await put("orders-orders-table", item(1, { status: { S: "placed" } }));
  const second = item(2, { status: { S: "shipped" }, totalCents: { N: "7" }, city: { NULL: true } });
  const Puts = [second, { orderId: { S: other }, version: { N: "1" } }].map((Item) => ({
    Put: { TableName: ORDERS, Item },
  }));
  await dynamodb.send(new TransactWriteItemsCommand({ TransactItems: Puts }));
  await audit.read();
  await put("orders-orders-table", item(3, { removed: { BOOL: true } }));
  await put("orders-orders-table", item(4, { status: { S: "placed" } }));
  await dynamodb.send(new DeleteItemCommand({ TableName: ORDERS, Key: { orderId: { S: orderId } } }));
  await put("shipping-shipments-table", { shipmentId: { S: orderId }, version: { N: "1" } });

  const changes = await audit.changes();
  audit.close();
  const of = { aggregate: "orders.Order", id: orderId };
  const shipped = { orderId, version: 2, status: "shipped", totalCents: 7, city: null };
  const again = { orderId, version: 4, status: "placed" };
  expect(changes.filter(({ id }) => id === orderId)).toEqual([
    { ...of, operation: "insert", oldVersion: null, newVersion: 1, row: { ...again, version: 1 } },
    { ...of, operation: "update", oldVersion: 1, newVersion: 2, row: shipped },
    { ...of, operation: "delete", oldVersion: 2, newVersion: 3, row: null },
    { ...of, operation: "insert", oldVersion: 3, newVersion: 4, row: again },
    { ...of, operation: "delete", oldVersion: 4, newVersion: 5, row: null },
    {
      ...{ aggregate: "shipping.Shipment", id: orderId, operation: "insert", oldVersion: null },
      ...{ newVersion: 1, row: { shipmentId: orderId, version: 1 } },
    },
  ]);
  expect(changes.filter(({ id }) => id === other)).toHaveLength(1);
});

test("tables are read to their ends", async () => {
  const LARGE = 380_000; // three of them are more than a page
  const ids = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const fields = { M: { name: { S: "x".repeat(LARGE) } } };
  for (const [index, id] of ids.entries())
    await put("orders-customers-projection", {
      ...{ aggregateId: { S: id }, version: { N: "2" }, eventId: { S: "e" } },
      ...(index === 0 ? {} : { fields }),
    });
  const { projections } = await readDynamo(dynamodb, physical, LANDSCAPE);
  const rows = projections["orders-customers-projection"] ?? [];
  expect(rows.map(({ aggregateId }) => aggregateId).sort()).toEqual([...ids].sort());
  expect(rows.find(({ aggregateId }) => aggregateId === ids[0])).toEqual({ aggregateId: ids[0], version: 2 });
  expect(rows.filter((row) => row.fields?.["name"] === "x".repeat(LARGE))).toHaveLength(3);
});

test("entity tables, outboxes and inboxes are read as they are", async () => {
  const shipmentId = randomUUID();
  const data = { change: { orderId: shipmentId }, state: null };
  await put("shipping-shipments-table", {
    ...{ shipmentId: { S: shipmentId }, version: { N: "2" }, removed: { BOOL: true } },
  });
  await put("shipping-outbox", {
    ...{ aggregateKey: { S: `shipping.Shipment#${shipmentId}` }, aggregateVersion: { N: "2" } },
    ...{ id: { S: "event" }, aggregate: { S: "shipping.Shipment" }, aggregateId: { S: shipmentId } },
    ...{ type: { S: "ShipmentLost" }, payload: { S: JSON.stringify(data) }, correlationId: { S: "one" } },
    ...{ occurredAt: { S: "2030-01-01T00:00:00.000Z" } },
  });
  await put("shipping-inbox", { messageId: { S: "m" }, consumer: { S: "c" }, processedAt: { S: "2030" } });
  const { entities, outbox, inbox } = await readDynamo(dynamodb, physical, LANDSCAPE);
  const aggregate = "shipping.Shipment";
  expect(entities).toContainEqual({ aggregate, id: shipmentId, version: 2, row: null });
  expect(outbox).toEqual([
    {
      ...{
        id: "event",
        outbox: "shipping-outbox",
        aggregate,
        aggregateId: shipmentId,
        version: 2,
        type: "ShipmentLost",
        data,
      },
      ...{ correlationId: "one", causationId: undefined, occurredAt: "2030-01-01T00:00:00.000Z" },
    },
  ]);
  expect(inbox).toEqual([{ messageId: "m", consumer: "c", processedAt: "2030" }]);
});

test("all messages of a queue are read, and all of them stay", async () => {
  const url = await createQueue();
  const bodies = Array.from({ length: 23 }, (_, index) => `message ${index}`);
  for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
  const read = async () =>
    (await readQueues(sqs, [{ name: "orders-dlq", url }])).map(({ body }) => body).sort();
  expect(await read()).toEqual([...bodies].sort());
  expect(await read()).toEqual([...bodies].sort());
});

test("a message that another receiver holds for a moment is waited for", async () => {
  const url = await createQueue({ VisibilityTimeout: "1" });
  for (const MessageBody of ["held", "free"])
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
  await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 1 }));
  const found = await readQueues(sqs, [{ name: "orders-dlq", url }]);
  expect(found.map(({ body }) => body).sort()).toEqual(["free", "held"]);
});

test("changes that were read before a restart of the emulator are known after it, and later ones are recorded too", async () => {
  const audit = await startDynamoAudit(emulator, physical, LANDSCAPE);
  const orderId = randomUUID();
  const version = (N: string) => put("orders-orders-table", { orderId: { S: orderId }, version: { N } });
  for (const number of ["1", "2"]) await version(number);
  await audit.read();
  await emulator.restart();
  for (const number of ["3", "4"]) await version(number);
  const changes = await audit.changes();
  audit.close();
  expect(changes.filter(({ id }) => id === orderId).map(({ newVersion }) => newVersion)).toEqual([
    1, 2, 3, 4,
  ]);
});
