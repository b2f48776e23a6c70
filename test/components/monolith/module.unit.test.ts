import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { MonolithModule } from "../../../dist/components/monolith/module.js";
import { project } from "../../../dist/runtime/index.js";
import { Loan } from "../../../dist/test/fixtures/domains/loans/contract.js";
import { domain as members } from "../../../dist/test/fixtures/domains/members/index.js";
import { deploy, json } from "../../support/program/mocks";
import { DATABASE } from "../../support/postgres/monolith-database";
import { statementsOf } from "../../support/program/policy-statements";

const database = { ...DATABASE, port: 6432 };
/** A module without projections. */
const plain = {
  ...members,
  name: "plain",
  subscriptions: {},
  commands: { joinLibrary: members.commands.joinLibrary! },
};
/** A module with a second projection, which has no index. */
const titled = {
  ...members,
  name: "titled",
  subscriptions: { ...members.subscriptions, titles: project(Loan, ({ title }) => ({ title })) },
};

const deployment = await deploy(() => {
  const bus = new EventBus("events");
  const shared = {
    bus,
    // Any resource will do.
    relay: bus,
    database,
    deletionProtection: true,
    logRetentionDays: 7,
    alarmTopicArn: undefined,
  };
  const made = new MonolithModule("members", { ...shared, module: members });
  new MonolithModule("plain", { ...shared, database: { ...database, tls: "disable" }, module: plain });
  new MonolithModule("titled", { ...shared, module: titled });
  return {
    commandFunction: made.commandFunction,
    subscriptions: Object.keys(made.subscriptions),
    projectionTables: made.projectionTables,
  };
});
const { one } = deployment;
const environmentOf = (name: string) =>
  (one("aws:lambda/function:Function", name).inputs.environment as { variables: unknown }).variables;
const READ_SECRET = {
  Sid: "ReadDatabaseSecret",
  Action: ["secretsmanager:GetSecretValue"],
  Resource: ["secretsmanager:secret:library/application-AbCdEf"],
};

test("A module has commands, projections and subscriptions; its entity tables are in the monolith's database", () => {
  expect(deployment.childrenOf(one("domain-consistency:components:MonolithModule", "members"))).toEqual([
    "aws:dynamodb/table:Table members-loans-projection",
    "domain-consistency:components:HandlerFunction members-commands",
    "domain-consistency:components:Subscription members-on-counted",
    "domain-consistency:components:Subscription members-on-loans",
  ]);
  expect(deployment.outputs).toEqual({
    commandFunction: "members-commands-1234567",
    subscriptions: ["loans", "counted"],
    projectionTables: { loans: "members-loans-projection-1234567" },
  });
  expect(deployment.childrenOf(one("domain-consistency:components:MonolithModule", "plain"))).toEqual([
    "domain-consistency:components:HandlerFunction plain-commands",
  ]);
});

test("Commands find the database and the application's secret by their environment, which holds no secret itself", () => {
  expect(environmentOf("members-commands")).toEqual({
    DATABASE_HOST: "db.example.internal",
    DATABASE_PORT: "6432",
    DATABASE_NAME: "library",
    DATABASE_TLS: "verify-full",
    DATABASE_SECRET_ARN: DATABASE.applicationSecretArn,
    NODE_EXTRA_CA_CERTS: "/var/runtime/ca-cert.pem",
    PROJECTION_TABLES: '{"loans":"members-loans-projection-1234567"}',
  });
});

test("A database without TLS needs no certificates", () => {
  expect(environmentOf("plain-commands")).toEqual({
    DATABASE_HOST: "db.example.internal",
    DATABASE_PORT: "6432",
    DATABASE_NAME: "library",
    DATABASE_TLS: "disable",
    DATABASE_SECRET_ARN: DATABASE.applicationSecretArn,
    PROJECTION_TABLES: "{}",
  });
});

test("Commands may read the application's secret, and not that of the capture", () => {
  expect(statementsOf(deployment, "plain-commands")).toEqual([READ_SECRET]);
});

test("A reaction subscribes to the events that it handles, and leaves connections for others", () => {
  const { eventPattern } = one("aws:cloudwatch/eventRule:EventRule", "members-on-counted-rule").inputs;
  expect(json(eventPattern)).toMatchObject({ source: ["loans"], "detail-type": ["BookLent"] });
  const { inputs } = one("aws:lambda/eventSourceMapping:EventSourceMapping", "members-on-counted-source");
  expect(inputs.scalingConfig).toEqual({ maximumConcurrency: 5 });
});

test("A reaction reaches the database as commands do, and no projection that it does not use", () => {
  expect(environmentOf("members-on-counted")).toEqual({
    ...(environmentOf("members-commands") as object),
    PROJECTION_TABLES: "{}",
  });
  expect(statementsOf(deployment, "members-on-counted").slice(1)).toEqual([READ_SECRET]);
});

test("A projection has a table, kept from deletion, with the indexes that are registered", () => {
  const indexed = {
    billingMode: "PAY_PER_REQUEST",
    hashKey: "aggregateId",
    attributes: [
      { name: "aggregateId", type: "S" },
      { name: "by_memberId", type: "S" },
    ],
    globalSecondaryIndexes: [
      {
        name: "memberId",
        keySchemas: [{ attributeName: "by_memberId", keyType: "HASH" }],
        projectionType: "ALL",
      },
    ],
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  };
  expect(one("aws:dynamodb/table:Table", "members-loans-projection").inputs).toEqual(indexed);
  expect(one("aws:dynamodb/table:Table", "titled-titles-projection").inputs).toEqual({
    ...indexed,
    attributes: [{ name: "aggregateId", type: "S" }],
    globalSecondaryIndexes: [],
  });
});

test("A projection takes all events of its aggregate, is not limited, and writes its own table only", () => {
  const { eventPattern } = one("aws:cloudwatch/eventRule:EventRule", "members-on-loans-rule").inputs;
  expect(json(eventPattern)).toMatchObject({
    source: ["loans"],
    "detail-type": ["BookLent", "BookReturned", "LoanForgotten"],
  });
  const { inputs } = one("aws:lambda/eventSourceMapping:EventSourceMapping", "members-on-loans-source");
  expect(inputs.scalingConfig).toBeUndefined();
  expect(environmentOf("members-on-loans")).toEqual({
    PROJECTION_TABLES: '{"loans":"members-loans-projection-1234567"}',
  });
  expect(statementsOf(deployment, "members-on-loans").slice(1)).toEqual([
    {
      Sid: "WriteProjection",
      Action: ["dynamodb:PutItem"],
      Resource: ["dynamodb:table/members-loans-projection"],
    },
  ]);
});

test("Commands may query the projections that they query, and no others", () => {
  const expected = (module: string) => [
    READ_SECRET,
    {
      Sid: "QueryProjections",
      Action: ["dynamodb:Query"],
      Resource: [`dynamodb:table/${module}-loans-projection/index/memberId`],
    },
  ];
  expect(statementsOf(deployment, "members-commands")).toEqual(expected("members"));
  expect(statementsOf(deployment, "titled-commands")).toEqual(expected("titled"));
  expect(environmentOf("titled-commands")).toMatchObject({
    PROJECTION_TABLES: '{"loans":"titled-loans-projection-1234567"}',
  });
});
