import "../../support/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { MonolithModule } from "../../../dist/components/monolith/module.js";
import { domain as catalog } from "../../../dist/domains/catalog/index.js";
import { domain as customers } from "../../../dist/domains/customers/index.js";
import { domain as orders } from "../../../dist/domains/orders/index.js";
import { deploy, json } from "../../support/mocks";
import { DATABASE } from "../../support/monolith-database";
import { statementsOf } from "../../support/policy-statements";

const database = { ...DATABASE, port: 6432 };
/** A module that projects: it prices with the projections of orders. */
const pricing = {
  ...catalog,
  name: "pricing",
  subscriptions: { customers: orders.subscriptions.customers!, products: orders.subscriptions.products! },
  commands: { placeOrder: orders.commands.placeOrder! },
};

const deployment = await deploy(() => {
  const shared = {
    bus: new EventBus("events"),
    database,
    deletionProtection: true,
    logRetentionDays: 7,
    alarmTopicArn: undefined,
  };
  const made = new MonolithModule("catalog", { ...shared, module: catalog });
  new MonolithModule("customers", {
    ...shared,
    database: { ...database, tls: "disable" },
    module: customers,
  });
  const projecting = new MonolithModule("pricing", { ...shared, module: pricing });
  return {
    commandFunction: made.commandFunction,
    subscriptions: Object.keys(made.subscriptions),
    projectionTables: made.projectionTables,
    projected: projecting.projectionTables,
  };
});
const { one } = deployment;
const environmentOf = (name: string) =>
  (one("aws:lambda/function:Function", name).inputs.environment as { variables: unknown }).variables;

test("A module has a command function and its subscriptions; its tables are in the monolith's database", () => {
  expect(deployment.childrenOf(one("domain-consistency:components:MonolithModule", "catalog"))).toEqual([
    "domain-consistency:components:HandlerFunction catalog-commands",
    "domain-consistency:components:Subscription catalog-on-orders",
  ]);
  expect(deployment.outputs).toMatchObject({
    commandFunction: "catalog-commands-1234567",
    subscriptions: ["orders"],
    projectionTables: {},
  });
});

test("Commands find the database and the application's secret by their environment, which holds no secret itself", () => {
  expect(environmentOf("catalog-commands")).toEqual({
    DATABASE_HOST: "db.example.internal",
    DATABASE_PORT: "6432",
    DATABASE_NAME: "shop",
    DATABASE_TLS: "verify-full",
    DATABASE_SECRET_ARN: DATABASE.applicationSecretArn,
    NODE_EXTRA_CA_CERTS: "/var/runtime/ca-cert.pem",
    PROJECTION_TABLES: "{}",
  });
});

test("A database without TLS needs no certificates", () => {
  expect(environmentOf("customers-commands")).toEqual({
    DATABASE_HOST: "db.example.internal",
    DATABASE_PORT: "6432",
    DATABASE_NAME: "shop",
    DATABASE_TLS: "disable",
    DATABASE_SECRET_ARN: DATABASE.applicationSecretArn,
    PROJECTION_TABLES: "{}",
  });
});

test("Commands may read the application's secret, and not that of the capture", () => {
  expect(statementsOf(deployment, "catalog-commands")).toEqual([
    {
      Sid: "ReadDatabaseSecret",
      Action: ["secretsmanager:GetSecretValue"],
      Resource: ["secretsmanager:secret:shop/application-AbCdEf"],
    },
  ]);
});

test("A reaction subscribes to the events that it handles, and leaves connections for others", () => {
  const { eventPattern } = one("aws:cloudwatch/eventRule:EventRule", "catalog-on-orders-rule").inputs;
  expect(json(eventPattern)).toMatchObject({ source: ["orders"], "detail-type": ["OrderPlaced"] });
  const { inputs } = one("aws:lambda/eventSourceMapping:EventSourceMapping", "catalog-on-orders-source");
  expect(inputs.scalingConfig).toEqual({ maximumConcurrency: 5 });
});

test("A reaction reaches the database as commands do", () => {
  expect(environmentOf("catalog-on-orders")).toEqual(environmentOf("catalog-commands"));
  expect(statementsOf(deployment, "catalog-on-orders").map(({ Sid }) => Sid)).toEqual([
    "ReceiveMessages",
    "ReadDatabaseSecret",
  ]);
});

test("A module that projects has a table for each projection, kept from deletion", () => {
  expect(deployment.childrenOf(one("domain-consistency:components:MonolithModule", "pricing"))).toEqual([
    "aws:dynamodb/table:Table pricing-customers-projection",
    "aws:dynamodb/table:Table pricing-products-projection",
    "domain-consistency:components:HandlerFunction pricing-commands",
    "domain-consistency:components:Subscription pricing-on-customers",
    "domain-consistency:components:Subscription pricing-on-products",
  ]);
  expect(one("aws:dynamodb/table:Table", "pricing-customers-projection").inputs).toEqual({
    billingMode: "PAY_PER_REQUEST",
    hashKey: "aggregateId",
    attributes: [{ name: "aggregateId", type: "S" }],
    globalSecondaryIndexes: [],
    pointInTimeRecovery: { enabled: true },
    deletionProtectionEnabled: true,
  });
  expect(deployment.outputs.projected).toEqual({
    customers: "pricing-customers-projection-1234567",
    products: "pricing-products-projection-1234567",
  });
});

test("A projection takes all events of its aggregate, is not limited, and writes its own table only", () => {
  const { eventPattern } = one("aws:cloudwatch/eventRule:EventRule", "pricing-on-customers-rule").inputs;
  expect(json(eventPattern)).toMatchObject({
    source: ["customers"],
    "detail-type": ["CustomerClosed", "CustomerRegistered", "CustomerRelocated"],
  });
  const { inputs } = one("aws:lambda/eventSourceMapping:EventSourceMapping", "pricing-on-customers-source");
  expect(inputs.scalingConfig).toBeUndefined();
  expect(environmentOf("pricing-on-customers")).toEqual({
    PROJECTION_TABLES: '{"customers":"pricing-customers-projection-1234567"}',
  });
  expect(statementsOf(deployment, "pricing-on-customers")).toContainEqual({
    Sid: "WriteProjection",
    Action: ["dynamodb:PutItem"],
    Resource: ["dynamodb:table/pricing-customers-projection"],
  });
});

test("Commands may read the projections that they use, by the names that they use", () => {
  expect(environmentOf("pricing-commands")).toMatchObject({
    PROJECTION_TABLES:
      '{"customers":"pricing-customers-projection-1234567","products":"pricing-products-projection-1234567"}',
  });
  expect(statementsOf(deployment, "pricing-commands")).toContainEqual({
    Sid: "ReadProjections",
    Action: ["dynamodb:GetItem"],
    Resource: ["dynamodb:table/pricing-customers-projection", "dynamodb:table/pricing-products-projection"],
  });
});
