import "../../support/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { Microservice } from "../../../dist/components/microservice/microservice.js";
import { domain as shipping } from "../../../dist/domains/shipping/index.js";
import { deploy, json, packageOf } from "../../support/mocks";
import { statementsOf } from "../../support/policy-statements";

const IN_TRANSACTION = {
  "ForAnyValue:StringEquals": { "dynamodb:EnclosingOperation": ["TransactWriteItems"] },
};

const deployment = await deploy(() => {
  const service = new Microservice("shipping", {
    domain: shipping,
    bus: new EventBus("events"),
    outboxRetentionDays: 45,
    logRetentionDays: 7,
    deletionProtection: true,
    alarmTopicArn: undefined,
  });
  return {
    commandFunction: service.commandFunction,
    subscriptions: Object.keys(service.subscriptions),
    projectionTables: service.projectionTables,
    quarantineUrl: service.quarantineUrl,
  };
});
const { one } = deployment;
const tableOf = (name: string) => one("aws:dynamodb/table:Table", name).inputs;
const environmentOf = (name: string) =>
  (one("aws:lambda/function:Function", name).inputs.environment as { variables: unknown }).variables;

test("A microservice has entity tables, an outbox with a relay, an inbox, projections, subscriptions and commands", () => {
  expect(deployment.childrenOf(one("domain-consistency:components:Microservice", "shipping"))).toEqual([
    "aws:dynamodb/table:Table shipping-customers-projection",
    "aws:dynamodb/table:Table shipping-inbox",
    "aws:dynamodb/table:Table shipping-orders-projection",
    "aws:dynamodb/table:Table shipping-outbox",
    "aws:dynamodb/table:Table shipping-shipments-table",
    "domain-consistency:components:HandlerFunction shipping-commands",
    "domain-consistency:components:Relay shipping-relay",
    "domain-consistency:components:Subscription shipping-on-customers",
    "domain-consistency:components:Subscription shipping-on-orders",
    "domain-consistency:components:Subscription shipping-on-placed",
    "domain-consistency:components:Subscription shipping-on-relocations",
  ]);
  expect(deployment.outputs).toEqual({
    commandFunction: "shipping-commands-1234567",
    subscriptions: ["customers", "orders", "placed", "relocations"],
    projectionTables: {
      customers: "shipping-customers-projection-1234567",
      orders: "shipping-orders-projection-1234567",
    },
    quarantineUrl: "https://sqs.eu-central-1.amazonaws.com/111122223333/shipping-relay-quarantine-1234567",
  });
});

test("An entity table is keyed by its aggregate and indexed as registered", () => {
  expect(tableOf("shipping-shipments-table")).toEqual({
    billingMode: "PAY_PER_REQUEST",
    hashKey: "shipmentId",
    attributes: [
      { name: "shipmentId", type: "S" },
      { name: "customerId", type: "S" },
    ],
    globalSecondaryIndexes: [{ name: "customerId", hashKey: "customerId", projectionType: "ALL" }],
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  });
});

test("The outbox is keyed by aggregate and version, expires, and streams what is added", () => {
  expect(tableOf("shipping-outbox")).toEqual({
    billingMode: "PAY_PER_REQUEST",
    hashKey: "aggregateKey",
    rangeKey: "aggregateVersion",
    attributes: [
      { name: "aggregateKey", type: "S" },
      { name: "aggregateVersion", type: "N" },
    ],
    globalSecondaryIndexes: [],
    streamEnabled: true,
    streamViewType: "NEW_IMAGE",
    ttl: { enabled: true, attributeName: "expiresAt" },
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  });
});

test("The inbox is keyed by message and consumer, and expires", () => {
  expect(tableOf("shipping-inbox")).toEqual({
    billingMode: "PAY_PER_REQUEST",
    hashKey: "messageId",
    rangeKey: "consumer",
    attributes: [
      { name: "messageId", type: "S" },
      { name: "consumer", type: "S" },
    ],
    globalSecondaryIndexes: [],
    ttl: { enabled: true, attributeName: "expiresAt" },
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  });
});

test("The relay reads the outbox's stream, what was added only, and publishes as this domain", () => {
  const { inputs } = one("aws:lambda/eventSourceMapping:EventSourceMapping", "shipping-relay-source");
  expect(inputs).toMatchObject({
    eventSourceArn: expect.stringMatching(/:table\/shipping-outbox-1234567\/stream\//),
    filterCriteria: { filters: [{ pattern: '{"eventName":["INSERT"]}' }] },
  });
  expect(statementsOf(deployment, "shipping-relay")).toEqual([
    {
      Sid: "ReadOutboxStream",
      Action: [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
      ],
      Resource: ["dynamodb:table/shipping-outbox/stream/2026-11-23T00:00:00.000"],
    },
    {
      Sid: "PublishEvents",
      Action: ["events:PutEvents"],
      Resource: ["events:event-bus/events"],
      Condition: { "ForAllValues:StringEquals": { "events:source": ["shipping"] } },
    },
    { Sid: "SetRecordsAside", Action: ["sqs:SendMessage"], Resource: ["sqs:shipping-relay-quarantine"] },
  ]);
});

test("Commands know the tables that they use, the outbox, the inbox and how long these keep items", () => {
  expect(environmentOf("shipping-commands")).toEqual({
    ENTITY_TABLES: '{"shipments":"shipping-shipments-table-1234567"}',
    OUTBOX_TABLE: "shipping-outbox-1234567",
    INBOX_TABLE: "shipping-inbox-1234567",
    OUTBOX_RETENTION_DAYS: "45",
    INBOX_RETENTION_DAYS: "30",
    PROJECTION_TABLES:
      '{"customers":"shipping-customers-projection-1234567","orders":"shipping-orders-projection-1234567"}',
  });
});

test("Commands read what they use and what was committed under an id, and write entity and event in transactions only", () => {
  expect(statementsOf(deployment, "shipping-commands")).toEqual([
    {
      Sid: "ReadEntities",
      Action: ["dynamodb:GetItem"],
      Resource: ["dynamodb:table/shipping-shipments-table"],
    },
    {
      Sid: "QueryIndexes",
      Action: ["dynamodb:Query"],
      Resource: ["dynamodb:table/shipping-shipments-table/index/customerId"],
    },
    {
      Sid: "WriteInTransactions",
      Action: ["dynamodb:PutItem"],
      Resource: [
        "dynamodb:table/shipping-shipments-table",
        "dynamodb:table/shipping-outbox",
        "dynamodb:table/shipping-inbox",
      ],
      Condition: IN_TRANSACTION,
    },
    {
      Sid: "ReadProjections",
      Action: ["dynamodb:GetItem"],
      Resource: ["dynamodb:table/shipping-customers-projection", "dynamodb:table/shipping-orders-projection"],
    },
    { Sid: "ReadInbox", Action: ["dynamodb:GetItem"], Resource: ["dynamodb:table/shipping-inbox"] },
  ]);
});

test("A reaction does not read the inbox: its transaction tells what was processed before", () => {
  expect(statementsOf(deployment, "shipping-on-placed").map(({ Sid }) => Sid)).not.toContain("ReadInbox");
});

test("A reaction knows and reads only the projections that it uses", () => {
  expect(environmentOf("shipping-on-placed")).toMatchObject({
    PROJECTION_TABLES: '{"customers":"shipping-customers-projection-1234567"}',
  });
  expect(environmentOf("shipping-on-relocations")).toMatchObject({ PROJECTION_TABLES: "{}" });
  const sids = (name: string) => statementsOf(deployment, name).map(({ Sid }) => Sid);
  expect(sids("shipping-on-placed")).toContain("ReadProjections");
  expect(sids("shipping-on-relocations")).not.toContain("ReadProjections");
});

test("A projection's function knows and writes its own table, and reads nothing", () => {
  expect(environmentOf("shipping-on-orders")).toEqual({
    PROJECTION_TABLES: '{"orders":"shipping-orders-projection-1234567"}',
  });
  expect(statementsOf(deployment, "shipping-on-orders").slice(1)).toEqual([
    {
      Sid: "WriteProjection",
      Action: ["dynamodb:PutItem"],
      Resource: ["dynamodb:table/shipping-orders-projection"],
    },
  ]);
});

test("Each subscription listens to the domain and the events that it is registered for", () => {
  const listens = (name: string) => {
    const pattern = json(
      one("aws:cloudwatch/eventRule:EventRule", `shipping-on-${name}-rule`).inputs.eventPattern,
    );
    const { source, "detail-type": types } = pattern as Record<string, string[]>;
    return `${source?.join()}: ${types?.join(", ")}`;
  };
  expect(["customers", "orders", "placed", "relocations"].map(listens)).toEqual([
    "customers: CustomerClosed, CustomerRegistered, CustomerRelocated",
    "orders: OrderCancelled, OrderPlaced, OrderShipped",
    "orders: OrderPlaced",
    "customers: CustomerRelocated",
  ]);
});

test("Every handler is named in errors by its domain and what it is for", async () => {
  const owners = await Promise.all(deployment.ofType("aws:lambda/function:Function").map(packageOf));
  expect(owners.sort()).toEqual([
    'domain "shipping", commands',
    'domain "shipping", relay',
    'domain "shipping", subscription "customers"',
    'domain "shipping", subscription "orders"',
    'domain "shipping", subscription "placed"',
    'domain "shipping", subscription "relocations"',
  ]);
});
