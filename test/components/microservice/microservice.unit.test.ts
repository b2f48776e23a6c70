import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { Microservice } from "../../../dist/components/microservice/microservice.js";
import { react, table } from "../../../dist/runtime/index.js";
import { Loan } from "../../../dist/test/fixtures/domains/loans/contract.js";
import { domain as loans } from "../../../dist/test/fixtures/domains/loans/index.js";
import { Member } from "../../../dist/test/fixtures/domains/members/contract.js";
import { deploy, json, packageOf } from "../../support/program/mocks";
import { statementsOf } from "../../support/program/policy-statements";

const IN_TRANSACTION = {
  "ForAnyValue:StringEquals": { "dynamodb:EnclosingOperation": ["TransactWriteItems"] },
};
/** The fixture domain, with a reaction that reads a projection. */
const domain = {
  ...loans,
  subscriptions: {
    ...loans.subscriptions,
    movers: react(Member, {
      uses: { members: loans.subscriptions.members as never },
      on: {
        MemberMoved: async ({ aggregateId }, { members }) => {
          await (members as { find(id: string): Promise<unknown> }).find(aggregateId);
          return [];
        },
      },
    }),
  },
};
/** A domain whose table has no index, and whose commands use nothing. */
const plain = {
  ...loans,
  name: "plain",
  tables: { loans: table(Loan) },
  subscriptions: {},
  commands: {},
};

const deployment = await deploy(() => {
  const shared = {
    bus: new EventBus("events"),
    outboxRetentionDays: 45,
    logRetentionDays: 7,
    deletionProtection: true,
    alarmTopicArn: undefined,
  };
  const service = new Microservice("loans", { ...shared, domain });
  new Microservice("plain", { ...shared, domain: plain });
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

/** A global secondary index on one attribute, as the provider takes it. */
const index = (name: string, attributeName: string) => ({
  name,
  keySchemas: [{ attributeName, keyType: "HASH" }],
  projectionType: "ALL",
});

test("A microservice has entity tables, an outbox with a relay, an inbox, projections, subscriptions and commands", () => {
  expect(deployment.childrenOf(one("domain-consistency:components:Microservice", "loans"))).toEqual([
    "aws:dynamodb/table:Table loans-inbox",
    "aws:dynamodb/table:Table loans-loans-table",
    "aws:dynamodb/table:Table loans-members-projection",
    "aws:dynamodb/table:Table loans-outbox",
    "domain-consistency:components:HandlerFunction loans-commands",
    "domain-consistency:components:Relay loans-relay",
    "domain-consistency:components:Subscription loans-on-leavers",
    "domain-consistency:components:Subscription loans-on-members",
    "domain-consistency:components:Subscription loans-on-movers",
  ]);
  expect(deployment.outputs).toEqual({
    commandFunction: "loans-commands-1234567",
    subscriptions: ["members", "leavers", "movers"],
    projectionTables: { members: "loans-members-projection-1234567" },
    quarantineUrl: "https://sqs.eu-central-1.amazonaws.com/111122223333/loans-relay-quarantine-1234567",
  });
});

test("An entity table is keyed by its aggregate and indexed as registered", () => {
  const indexed = {
    billingMode: "PAY_PER_REQUEST",
    hashKey: "loanId",
    attributes: [
      { name: "loanId", type: "S" },
      { name: "memberId", type: "S" },
    ],
    globalSecondaryIndexes: [index("memberId", "memberId")],
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  };
  expect(tableOf("loans-loans-table")).toEqual(indexed);
  expect(tableOf("plain-loans-table")).toEqual({
    ...indexed,
    attributes: [{ name: "loanId", type: "S" }],
    globalSecondaryIndexes: [],
  });
});

test("A projection is keyed by the aggregate's id and indexed as registered, on attributes that copy the fields", () => {
  expect(tableOf("loans-members-projection")).toEqual({
    billingMode: "PAY_PER_REQUEST",
    hashKey: "aggregateId",
    attributes: [
      { name: "aggregateId", type: "S" },
      { name: "by_city", type: "S" },
    ],
    globalSecondaryIndexes: [index("city", "by_city")],
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  });
});

test("The outbox is keyed by aggregate and version, expires, and streams what is added", () => {
  expect(tableOf("loans-outbox")).toEqual({
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
  expect(tableOf("loans-inbox")).toEqual({
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
  const { inputs } = one("aws:lambda/eventSourceMapping:EventSourceMapping", "loans-relay-source");
  expect(inputs).toMatchObject({
    eventSourceArn: expect.stringMatching(/:table\/loans-outbox-1234567\/stream\//),
    filterCriteria: { filters: [{ pattern: '{"eventName":["INSERT"]}' }] },
  });
  expect(statementsOf(deployment, "loans-relay")).toEqual([
    {
      Sid: "ReadOutboxStream",
      Action: [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
      ],
      Resource: ["dynamodb:table/loans-outbox/stream/2026-11-23T00:00:00.000"],
    },
    {
      Sid: "PublishEvents",
      Action: ["events:PutEvents"],
      Resource: ["events:event-bus/events"],
      Condition: { "ForAllValues:StringEquals": { "events:source": ["loans"] } },
    },
    { Sid: "QuarantineRecords", Action: ["sqs:SendMessage"], Resource: ["sqs:loans-relay-quarantine"] },
    {
      Sid: "HoldAggregates",
      Action: ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
      Resource: ["dynamodb:table/loans-relay-holds"],
    },
  ]);
});

test("Commands know the tables that they use, the outbox, the inbox and how long these keep items", () => {
  expect(environmentOf("loans-commands")).toEqual({
    ENTITY_TABLES: '{"loans":"loans-loans-table-1234567"}',
    OUTBOX_TABLE: "loans-outbox-1234567",
    INBOX_TABLE: "loans-inbox-1234567",
    OUTBOX_RETENTION_DAYS: "45",
    INBOX_RETENTION_DAYS: "30",
    PROJECTION_TABLES: '{"members":"loans-members-projection-1234567"}',
  });
});

test("Commands read what they use and what was committed under an id, and write entity and event in transactions only", () => {
  expect(statementsOf(deployment, "loans-commands")).toEqual([
    { Sid: "ReadEntities", Action: ["dynamodb:GetItem"], Resource: ["dynamodb:table/loans-loans-table"] },
    {
      Sid: "WriteInTransactions",
      Action: ["dynamodb:PutItem"],
      Resource: [
        "dynamodb:table/loans-loans-table",
        "dynamodb:table/loans-outbox",
        "dynamodb:table/loans-inbox",
      ],
      Condition: IN_TRANSACTION,
    },
    {
      Sid: "ReadProjections",
      Action: ["dynamodb:GetItem"],
      Resource: ["dynamodb:table/loans-members-projection"],
    },
    {
      Sid: "QueryProjections",
      Action: ["dynamodb:Query"],
      Resource: ["dynamodb:table/loans-members-projection/index/city"],
    },
    { Sid: "ReadInbox", Action: ["dynamodb:GetItem"], Resource: ["dynamodb:table/loans-inbox"] },
  ]);
});

test("A function without commands may read what was committed under an id, which it does to answer, and nothing else", () => {
  expect(environmentOf("plain-commands")).toMatchObject({ ENTITY_TABLES: "{}", PROJECTION_TABLES: "{}" });
  expect(statementsOf(deployment, "plain-commands")).toEqual([
    { Sid: "ReadInbox", Action: ["dynamodb:GetItem"], Resource: ["dynamodb:table/plain-inbox"] },
  ]);
});

test("A reaction does not read the inbox: its transaction fails if the event was processed before", () => {
  expect(statementsOf(deployment, "loans-on-leavers").map(({ Sid }) => Sid)).not.toContain("ReadInbox");
});

test("A reaction knows and reads only the tables and projections that it uses", () => {
  const sids = (name: string) => statementsOf(deployment, name).map(({ Sid }) => Sid);
  expect(environmentOf("loans-on-movers")).toMatchObject({
    ENTITY_TABLES: "{}",
    PROJECTION_TABLES: '{"members":"loans-members-projection-1234567"}',
  });
  expect(sids("loans-on-movers")).toEqual(["ReceiveMessages", "WriteInTransactions", "ReadProjections"]);
  // It raises no event: only the inbox is written.
  expect(statementsOf(deployment, "loans-on-movers")[1]?.Resource).toEqual(["dynamodb:table/loans-inbox"]);
  expect(environmentOf("loans-on-leavers")).toMatchObject({
    ENTITY_TABLES: '{"loans":"loans-loans-table-1234567"}',
    PROJECTION_TABLES: "{}",
  });
  expect(sids("loans-on-leavers")).toEqual(["ReceiveMessages", "QueryIndexes", "WriteInTransactions"]);
});

test("A projection's function knows and writes its own table, and reads nothing", () => {
  expect(environmentOf("loans-on-members")).toEqual({
    PROJECTION_TABLES: '{"members":"loans-members-projection-1234567"}',
  });
  expect(statementsOf(deployment, "loans-on-members").slice(1)).toEqual([
    {
      Sid: "WriteProjection",
      Action: ["dynamodb:PutItem"],
      Resource: ["dynamodb:table/loans-members-projection"],
    },
  ]);
});

test("Each subscription listens to the domain and the events that it is registered for", () => {
  const listens = (name: string) => {
    const pattern = json(
      one("aws:cloudwatch/eventRule:EventRule", `loans-on-${name}-rule`).inputs.eventPattern,
    );
    const { source, "detail-type": types } = pattern as Record<string, string[]>;
    return `${source?.join()}: ${types?.join(", ")}`;
  };
  expect(["members", "leavers", "movers"].map(listens)).toEqual([
    "members: MemberJoined, MemberLeft, MemberLent, MemberMoved",
    "members: MemberLeft",
    "members: MemberMoved",
  ]);
});

test("Every handler is named in errors by its domain and what it is for", async () => {
  const owners = await Promise.all(deployment.ofType("aws:lambda/function:Function").map(packageOf));
  expect(owners.filter((owner) => !owner.includes("plain")).sort()).toEqual([
    'domain "loans", commands',
    'domain "loans", relay',
    'domain "loans", subscription "leavers"',
    'domain "loans", subscription "members"',
    'domain "loans", subscription "movers"',
  ]);
});
