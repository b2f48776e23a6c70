/**
 * What the program must declare for any domains, derived from their registration independently of the
 * components.
 */
import type { Registry } from "../../../dist/registry/load-domains.js";
import type { AnyDomain, AnySubscription } from "../../../dist/runtime/define/domain.js";
import type { ShortStatement } from "./policy-statements";
import { SUFFIX } from "./provider-state";
import { REQUIRED_CONFIG } from "./stack-config";

/**
 * Function -> the most that its `uses` allow, beside writing its own log, and its environment variables. Which part of
 * it the code calls, handler-code.ts tells.
 */
export type ExpectedFunctions = Record<
  string,
  { statements: ShortStatement[]; variables: Record<string, string> }
>;

/**
 * The functions of the program with their permissions and variables, with the required configuration only.
 */
export function expectedFunctions({ modules, microservices }: Registry): ExpectedFunctions {
  const names = modules.map(({ name }) => name);
  const retention = {
    statements: [READ_SECRET("retention")],
    variables: { ...DATABASE, DATABASE_SECRET_ARN: REQUIRED_CONFIG.retentionSecretArn, ...RETENTION_DAYS },
  };
  const monolith = {
    "monolith-relay": relay("monolith", READ_STREAM, names),
    "monolith-retention": retention,
  };
  return {
    ...(modules.length > 0 ? monolith : {}),
    ...Object.assign({}, ...modules.map((domain) => functionsOf(domain, moduleAccess))),
    ...Object.assign({}, ...microservices.map((domain) => functionsOf(domain, microserviceAccess))),
    ...Object.fromEntries(
      microservices.map(({ name }) => [`${name}-relay`, relay(name, readOutboxStream(name), [name])]),
    ),
  };
}

type Entry = [name: string, expected: ExpectedFunctions[string]];
type Access = (domain: AnyDomain, uses: readonly string[]) => ExpectedFunctions[string];

function functionsOf(domain: AnyDomain, access: Access): ExpectedFunctions {
  const commandsUse = Object.values(domain.commands).flatMap(({ uses }) => Object.keys(uses));
  const commands = access(domain, commandsUse);
  const statements = domain.kind === "microservice" ? [READ_INBOX(domain.name)] : [];
  const subscribed = Object.entries(domain.subscriptions).map(([name, subscription]): Entry => {
    const consumer = subscribedAccess(domain, name, subscription, access);
    const receive = {
      Sid: "ReceiveMessages",
      Action: RECEIVE,
      Resource: [`sqs:${domain.name}-on-${name}-queue`],
    };
    return [`${domain.name}-on-${name}`, { ...consumer, statements: [receive, ...consumer.statements] }];
  });
  return {
    [`${domain.name}-commands`]: { ...commands, statements: [...commands.statements, ...statements] },
    ...Object.fromEntries(subscribed),
  };
}

function subscribedAccess(
  domain: AnyDomain,
  name: string,
  subscription: AnySubscription,
  access: Access,
): ExpectedFunctions[string] {
  if (subscription.kind === "react") return access(domain, Object.keys(subscription.uses));
  const table = `${domain.name}-${name}-projection`;
  return {
    statements: [
      { Sid: "WriteProjection", Action: ["dynamodb:PutItem"], Resource: [`dynamodb:table/${table}`] },
    ],
    variables: { PROJECTION_TABLES: JSON.stringify({ [name]: table + SUFFIX }) },
  };
}

const moduleAccess: Access = (domain, uses) => {
  const projections = projectionAccess(domain, uses);
  return {
    statements: [READ_SECRET("application"), ...projections.statements],
    variables: {
      ...DATABASE,
      DATABASE_SECRET_ARN: REQUIRED_CONFIG.applicationSecretArn,
      ...projections.variables,
    },
  };
};

const microserviceAccess: Access = (domain, uses) => {
  const { name } = domain;
  const used = Object.keys(domain.tables).filter((table) => uses.includes(table));
  const arnOf = (table: string) => `dynamodb:table/${name}-${table}-table`;
  const indexes = used.flatMap((table) =>
    (domain.tables[table]?.indexes ?? []).map((index) => `${arnOf(table)}/index/${index}`),
  );
  const projections = projectionAccess(domain, uses);
  const writable = [...used.map(arnOf), `dynamodb:table/${name}-outbox`, `dynamodb:table/${name}-inbox`];
  return {
    statements: [
      ...statement("ReadEntities", "dynamodb:GetItem", used.map(arnOf)),
      ...statement("QueryIndexes", "dynamodb:Query", indexes),
      { ...statement("WriteInTransactions", "dynamodb:PutItem", writable)[0]!, Condition: IN_TRANSACTION },
      ...projections.statements,
    ],
    variables: {
      ENTITY_TABLES: JSON.stringify(
        Object.fromEntries(used.map((table) => [table, `${name}-${table}-table${SUFFIX}`])),
      ),
      OUTBOX_TABLE: `${name}-outbox${SUFFIX}`,
      INBOX_TABLE: `${name}-inbox${SUFFIX}`,
      ...RETENTION_DAYS,
      ...projections.variables,
    },
  };
};

function projectionAccess({ name, subscriptions }: AnyDomain, uses: readonly string[]) {
  const used = Object.entries(subscriptions).flatMap(([projection, subscription]) =>
    subscription.kind === "project" && uses.includes(projection)
      ? [{ projection, table: `${name}-${projection}-projection`, indexes: subscription.indexes }]
      : [],
  );
  const tables = used.map(({ table }) => `dynamodb:table/${table}`);
  const indexes = used.flatMap(({ table, indexes }) =>
    indexes.map((index) => `dynamodb:table/${table}/index/${index}`),
  );
  const physical = Object.fromEntries(used.map(({ projection, table }) => [projection, table + SUFFIX]));
  return {
    statements: [
      ...statement("ReadProjections", "dynamodb:GetItem", tables),
      ...statement("QueryProjections", "dynamodb:Query", indexes),
    ],
    variables: { PROJECTION_TABLES: JSON.stringify(physical) },
  };
}

function statement(Sid: string, action: string, Resource: string[]): ShortStatement[] {
  return Resource.length > 0 ? [{ Sid, Action: [action], Resource }] : [];
}

function relay(name: string, reading: ShortStatement, domains: string[]): ExpectedFunctions[string] {
  const quarantine = `${name}-relay-quarantine`;
  const publish = {
    Sid: "PublishEvents",
    Action: ["events:PutEvents"],
    Resource: ["events:event-bus/events"],
    Condition: { "ForAllValues:StringEquals": { "events:source": domains } },
  };
  const park = { Sid: "QuarantineRecords", Action: ["sqs:SendMessage"], Resource: [`sqs:${quarantine}`] };
  const hold = {
    Sid: "HoldAggregates",
    Action: ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
    Resource: [`dynamodb:table/${name}-relay-holds`],
  };
  return {
    statements: [reading, publish, park, hold],
    variables: {
      EVENT_BUS_NAME: `events${SUFFIX}`,
      QUARANTINE_QUEUE_URL: queueUrl(quarantine),
      HOLDS_TABLE: `${name}-relay-holds${SUFFIX}`,
    },
  };
}

/** The URL of a queue, by its logical name. */
export function queueUrl(queue: string): string {
  return `https://sqs.eu-central-1.amazonaws.com/111122223333/${queue}${SUFFIX}`;
}

const RECEIVE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
const IN_TRANSACTION = {
  "ForAnyValue:StringEquals": { "dynamodb:EnclosingOperation": ["TransactWriteItems"] },
};
const RETENTION_DAYS = { OUTBOX_RETENTION_DAYS: "30", INBOX_RETENTION_DAYS: "30" };
const DATABASE = {
  DATABASE_HOST: REQUIRED_CONFIG.databaseHost,
  DATABASE_PORT: "5432",
  DATABASE_NAME: REQUIRED_CONFIG.databaseName,
  DATABASE_TLS: "verify-full",
  NODE_EXTRA_CA_CERTS: "/var/runtime/ca-cert.pem",
};
const READ_SECRET = (login: string): ShortStatement => ({
  Sid: "ReadDatabaseSecret",
  Action: ["secretsmanager:GetSecretValue"],
  Resource: [`secretsmanager:secret:library/${login}-AbCdEf`],
});
const READ_INBOX = (domain: string): ShortStatement => ({
  Sid: "ReadInbox",
  Action: ["dynamodb:GetItem"],
  Resource: [`dynamodb:table/${domain}-inbox`],
});
const READ_STREAM: ShortStatement = {
  Sid: "ReadStream",
  Action: ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"].map(
    (action) => `kinesis:${action}`,
  ),
  Resource: ["kinesis:stream/monolith-stream"],
};
const readOutboxStream = (domain: string): ShortStatement => ({
  Sid: "ReadOutboxStream",
  Action: ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"].map(
    (action) => `dynamodb:${action}`,
  ),
  Resource: [`dynamodb:table/${domain}-outbox/stream/2026-11-23T00:00:00.000`],
});
