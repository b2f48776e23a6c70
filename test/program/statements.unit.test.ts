import "../support/program/unpackaged";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { statementsIn, statementsOf } from "../support/program/policy-statements";
import { FULL_CONFIG } from "../support/program/stack-config";
import { deployProgram } from "../support/program/whole-program";

// Of the fixture domains, function by function; any-domains.unit.test.ts holds the same for whatever is registered.
const deployment = await deployProgram();
const functions = deployment.ofType("aws:lambda/function:Function").map(({ name }) => name);

const MODULE_SECRET = {
  Sid: "ReadDatabaseSecret",
  Action: ["secretsmanager:GetSecretValue"],
  Resource: ["secretsmanager:secret:library/members-AbCdEf"],
};
const RETENTION_SECRET = {
  ...MODULE_SECRET,
  Resource: ["secretsmanager:secret:library/retention-AbCdEf"],
};

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

function queries(sid: "QueryIndexes" | "QueryProjections", ...indexes: string[]) {
  return {
    Sid: sid,
    Action: ["dynamodb:Query"],
    Resource: indexes.map((index) => `dynamodb:table/${index}`),
  };
}

function publishes(domain: string) {
  return {
    Sid: "PublishEvents",
    Action: ["events:PutEvents"],
    Resource: ["events:event-bus/events"],
    Condition: { "ForAllValues:StringEquals": { "events:source": [domain] } },
  };
}

function holds(table: string) {
  return {
    Sid: "HoldAggregates",
    Action: ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
    Resource: [`dynamodb:table/${table}`],
  };
}

function quarantines(queue: string) {
  return { Sid: "QuarantineRecords", Action: ["sqs:SendMessage"], Resource: [`sqs:${queue}`] };
}

const READ_OUTBOX_STREAM = {
  Sid: "ReadOutboxStream",
  Action: [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
  ],
  Resource: ["dynamodb:table/loans-outbox/stream/2026-11-23T00:00:00.000"],
};
const WRITE_LOANS = {
  Sid: "WriteInTransactions",
  Action: ["dynamodb:PutItem"],
  Resource: ["dynamodb:table/loans-loans-table", "dynamodb:table/loans-outbox", "dynamodb:table/loans-inbox"],
  Condition: { "ForAnyValue:StringEquals": { "dynamodb:EnclosingOperation": ["TransactWriteItems"] } },
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

/** Function -> all that it may do, in addition to writing its own log. */
const EXPECTED: Record<string, object[]> = {
  "monolith-relay": [
    READ_STREAM,
    publishes("members"),
    quarantines("monolith-relay-quarantine"),
    holds("monolith-relay-holds"),
  ],
  "monolith-retention": [RETENTION_SECRET],
  "members-commands": [MODULE_SECRET, queries("QueryProjections", "members-loans-projection/index/memberId")],
  "members-on-loans": [receives("members-on-loans-queue"), projects("members-loans-projection")],
  "members-on-counted": [receives("members-on-counted-queue"), MODULE_SECRET],
  "loans-relay": [
    READ_OUTBOX_STREAM,
    publishes("loans"),
    quarantines("loans-relay-quarantine"),
    holds("loans-relay-holds"),
  ],
  "loans-commands": [
    reads("ReadEntities", "loans-loans-table"),
    WRITE_LOANS,
    reads("ReadProjections", "loans-members-projection"),
    queries("QueryProjections", "loans-members-projection/index/city"),
    reads("ReadInbox", "loans-inbox"),
  ],
  "loans-on-members": [receives("loans-on-members-queue"), projects("loans-members-projection")],
  "loans-on-leavers": [
    receives("loans-on-leavers-queue"),
    queries("QueryIndexes", "loans-loans-table/index/memberId"),
    WRITE_LOANS,
  ],
};

test("The table of permissions has every function", () => {
  expect(functions.sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(Object.entries(EXPECTED))("%s may do exactly what it needs", (name, expected) => {
  expect(statementsOf(deployment, name)).toEqual(expected);
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
