import "../support/unpackaged";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { loadDomains } from "../../dist/domains/registry.js";
import { json } from "../support/mocks";
import { statementsIn, statementsOf } from "../support/policy-statements";
import { FULL_CONFIG } from "../support/stack-config";
import { deployProgram } from "../support/whole-program";

const deployment = await deployProgram();
const functions = deployment.ofType("aws:lambda/function:Function").map(({ name }) => name);

const APPLICATION_SECRET = {
  Sid: "ReadDatabaseSecret",
  Action: ["secretsmanager:GetSecretValue"],
  Resource: ["secretsmanager:secret:shop/application-AbCdEf"],
};
const RETENTION_SECRET = { ...APPLICATION_SECRET, Resource: ["secretsmanager:secret:shop/retention-AbCdEf"] };

function receives(queue: string) {
  return {
    Sid: "ReceiveMessages",
    Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    Resource: [`sqs:${queue}`],
  };
}

function projects(table: string) {
  return { Sid: "WriteProjection", Action: ["dynamodb:PutItem"], Resource: [`dynamodb:table/${table}`] };
}

function reads(sid: "ReadEntities" | "ReadProjections" | "ReadInbox", ...tables: string[]) {
  return {
    Sid: sid,
    Action: ["dynamodb:GetItem"],
    Resource: tables.map((table) => `dynamodb:table/${table}`),
  };
}

function writesInTransactions(...tables: string[]) {
  return {
    Sid: "WriteInTransactions",
    Action: ["dynamodb:PutItem"],
    Resource: tables.map((table) => `dynamodb:table/${table}`),
    Condition: { "ForAnyValue:StringEquals": { "dynamodb:EnclosingOperation": ["TransactWriteItems"] } },
  };
}

function publishes(...domains: string[]) {
  return {
    Sid: "PublishEvents",
    Action: ["events:PutEvents"],
    Resource: ["events:event-bus/events"],
    Condition: { "ForAllValues:StringEquals": { "events:source": domains } },
  };
}

function setsAside(queue: string) {
  return { Sid: "SetRecordsAside", Action: ["sqs:SendMessage"], Resource: [`sqs:${queue}`] };
}

function readsOutboxStream(table: string) {
  return {
    Sid: "ReadOutboxStream",
    Action: [
      "dynamodb:DescribeStream",
      "dynamodb:GetRecords",
      "dynamodb:GetShardIterator",
      "dynamodb:ListStreams",
    ],
    Resource: [`dynamodb:table/${table}/stream/2026-11-23T00:00:00.000`],
  };
}

const QUERY_SHIPMENTS = {
  Sid: "QueryIndexes",
  Action: ["dynamodb:Query"],
  Resource: ["dynamodb:table/shipping-shipments-table/index/customerId"],
};
const READ_STREAM = {
  Sid: "ReadStream",
  Action: [
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
  ],
  Resource: ["kinesis:stream/monolith-stream"],
};

const MODULES = loadDomains().modules.map(({ name }) => name);

/** Function -> all that it may do, besides writing its own log. */
const EXPECTED: Record<string, object[]> = {
  "monolith-relay": [READ_STREAM, publishes(...MODULES), setsAside("monolith-relay-quarantine")],
  "monolith-retention": [RETENTION_SECRET],
  "catalog-commands": [APPLICATION_SECRET],
  "catalog-on-orders": [receives("catalog-on-orders-queue"), APPLICATION_SECRET],
  "customers-commands": [APPLICATION_SECRET],
  "orders-relay": [
    readsOutboxStream("orders-outbox"),
    publishes("orders"),
    setsAside("orders-relay-quarantine"),
  ],
  "orders-commands": [
    reads("ReadEntities", "orders-orders-table"),
    writesInTransactions("orders-orders-table", "orders-outbox", "orders-inbox"),
    reads("ReadProjections", "orders-customers-projection", "orders-products-projection"),
    reads("ReadInbox", "orders-inbox"),
  ],
  "orders-on-customers": [receives("orders-on-customers-queue"), projects("orders-customers-projection")],
  "orders-on-products": [receives("orders-on-products-queue"), projects("orders-products-projection")],
  "orders-on-dispatch": [
    receives("orders-on-dispatch-queue"),
    reads("ReadEntities", "orders-orders-table"),
    writesInTransactions("orders-orders-table", "orders-outbox", "orders-inbox"),
  ],
  "shipping-relay": [
    readsOutboxStream("shipping-outbox"),
    publishes("shipping"),
    setsAside("shipping-relay-quarantine"),
  ],
  "shipping-commands": [
    reads("ReadEntities", "shipping-shipments-table"),
    QUERY_SHIPMENTS,
    writesInTransactions("shipping-shipments-table", "shipping-outbox", "shipping-inbox"),
    reads("ReadProjections", "shipping-customers-projection", "shipping-orders-projection"),
    reads("ReadInbox", "shipping-inbox"),
  ],
  "shipping-on-customers": [
    receives("shipping-on-customers-queue"),
    projects("shipping-customers-projection"),
  ],
  "shipping-on-orders": [receives("shipping-on-orders-queue"), projects("shipping-orders-projection")],
  "shipping-on-placed": [
    receives("shipping-on-placed-queue"),
    reads("ReadEntities", "shipping-shipments-table"),
    QUERY_SHIPMENTS,
    writesInTransactions("shipping-shipments-table", "shipping-outbox", "shipping-inbox"),
    reads("ReadProjections", "shipping-customers-projection"),
  ],
  "shipping-on-relocations": [
    receives("shipping-on-relocations-queue"),
    reads("ReadEntities", "shipping-shipments-table"),
    QUERY_SHIPMENTS,
    writesInTransactions("shipping-shipments-table", "shipping-outbox", "shipping-inbox"),
  ],
};

test("The table of permissions has every function of the sample domains", () => {
  // A domain that a team adds has its own tests, and is bound by the general rules below.
  const ofTheSample = functions.filter((name) => /^(monolith|catalog|customers|orders|shipping)-/.test(name));
  expect(ofTheSample.sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(Object.entries(EXPECTED))("%s may do exactly what it needs", (name, expected) => {
  expect(statementsOf(deployment, name)).toEqual(expected);
});

test("No policy of the program has a wildcard in an action, or a resource that is not named", () => {
  const statements = deployment.ofType("aws:iam/rolePolicy:RolePolicy").flatMap(statementsIn);
  expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes("*"))).toEqual([]);
  const wide = statements
    .filter(({ Sid }) => Sid !== "WriteLog")
    .flatMap(({ Resource }) => Resource)
    .filter((resource) => resource === "" || resource.includes("*"));
  expect(wide).toEqual([]);
});

test("In a private network Lambda may do more with the roles of attached functions, and what is wide of it is not for their code", async () => {
  const inNetwork = await deployProgram({ config: FULL_CONFIG });
  const added = inNetwork.ofType("aws:iam/rolePolicy:RolePolicy").flatMap((policy) => {
    const before = statementsIn(deployment.one("aws:iam/rolePolicy:RolePolicy", policy.name));
    return statementsIn(policy).filter(({ Sid }) => !before.some((statement) => statement.Sid === Sid));
  });
  const sids = ["DescribeNetwork", "CreateNetworkInterfaces", "AssignAddresses", "DeleteNetworkInterfaces"];
  expect([...new Set(added.map(({ Sid }) => Sid))]).toEqual(sids);
  const notByCode = { Null: { "lambda:SourceFunctionArn": "true" } };
  expect(added.filter(({ Condition }) => !isDeepStrictEqual(Condition, notByCode))).toEqual([]);
  // Anything that is wider than this network's own parts is one of these.
  const wide = added.filter(({ Resource }) => Resource.some((resource) => /^\*$|:\*/.test(resource)));
  expect([...new Set(wide.flatMap(({ Action }) => Action))]).toEqual([
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
  ]);
});

test("No role has a managed policy, and every role has one policy of its own", () => {
  const roles = deployment.ofType("aws:iam/role:Role");
  expect(roles.flatMap(({ inputs }) => Object.keys(inputs))).toEqual(roles.map(() => "assumeRolePolicy"));
  const policies = deployment.ofType("aws:iam/rolePolicy:RolePolicy").map(({ inputs }) => inputs.role);
  expect(policies.sort()).toEqual(roles.map(({ name }) => `${name}-1234567`).sort());
});

test("Every role is assumed by the one service that needs it", () => {
  const trusted = deployment.ofType("aws:iam/role:Role").map(({ name, inputs }) => {
    const { Statement } = json(inputs.assumeRolePolicy) as {
      Statement: { Principal: { Service: string } }[];
    };
    return `${name}: ${Statement.map(({ Principal }) => Principal.Service).join()}`;
  });
  const expected = [
    ...functions.map((name) => `${name}-role: lambda.amazonaws.com`),
    "monolith-source-role: dms.eu-central-1.amazonaws.com",
    "monolith-target-role: dms.amazonaws.com",
  ];
  expect(trusted.sort()).toEqual(expected.sort());
});
