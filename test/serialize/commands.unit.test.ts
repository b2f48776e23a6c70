import { beforeEach, expect, test } from "vitest";
import { domain as loans } from "../../dist/test/fixtures/domains/loans/index.js";
import { domain as members } from "../../dist/test/fixtures/domains/members/index.js";
import { makeCommandHandler } from "../../dist/runtime/command/handler.js";
import { dynamoStore } from "../../dist/runtime/dynamodb/store.js";
import { postgresStore } from "../../dist/runtime/postgres/store.js";
import { openProjections } from "../../dist/runtime/projection/table.js";
import { type AwsRequest, awsError, awsStub } from "../support/dynamodb/aws-stub";
import { bareFunction } from "../support/process/bare-node";

const [LOAN_ID, MEMBER_ID] = [1, 2].map((digit) => `${digit}a2e4c5d-1111-4222-8333-444455556666`);
const aws = await awsStub();
const dynamoEnvironment = {
  ...aws.environment,
  ENTITY_TABLES: '{"loans":"loans-1"}',
  PROJECTION_TABLES: '{"members":"members-1"}',
  OUTBOX_TABLE: "outbox-1",
  INBOX_TABLE: "inbox-1",
  OUTBOX_RETENTION_DAYS: "30",
  INBOX_RETENTION_DAYS: "30",
};
const postgresEnvironment = {
  ...aws.environment,
  DATABASE_HOST: "127.0.0.1",
  // Nothing listens there: a connection would fail the test.
  DATABASE_PORT: "1",
  DATABASE_NAME: "library",
  DATABASE_TLS: "disable",
  DATABASE_SECRET_ARN: "arn:aws:secretsmanager:::secret:a",
  PROJECTION_TABLES: '{"loans":"loans-projection-1"}',
};
const [loanCommands, memberCommands] = await Promise.all([
  bareFunction(makeCommandHandler("loans", loans.commands, dynamoStore)),
  bareFunction(makeCommandHandler("members", members.commands, postgresStore(openProjections))),
]);

const lendBook = {
  command: "lendBook",
  id: "request-1",
  input: { loanId: LOAN_ID, memberId: MEMBER_ID, title: "Emma", shelf: "A1" },
};
/** What the tables hold: a member, and no loan. */
function knows({ operation, body }: AwsRequest): object {
  if (operation !== "GetItem" || body.TableName !== "members-1") return {};
  const fields = { M: { name: { S: "Ada" }, city: { S: "Turin" } } };
  return { Item: { aggregateId: { S: "any" }, version: { N: "1" }, fields } };
}

beforeEach(() => {
  aws.taken();
  aws.answer(knows);
});

test.each([
  { kind: "microservice", registered: loans, commands: loanCommands, environment: dynamoEnvironment },
  {
    kind: "monolith's module",
    registered: members,
    commands: memberCommands,
    environment: postgresEnvironment,
  },
])("The packaged commands of a $kind answer what is not valid without asking anybody", async (domain) => {
  const [name] = Object.keys(domain.registered.commands).sort();
  const { results } = await domain.commands.invoke(
    domain.environment,
    { command: "fly", input: {} },
    { command: name, input: { reason: 5 } },
    { input: {} },
  );
  expect(results).toMatchObject([
    { outcome: "invalid", message: expect.stringMatching(/^The domain "\w+" has no command "fly"\./) },
    { outcome: "invalid", message: expect.stringContaining(`The input of "${name}" is not valid: `) },
    { thrown: "REQUEST_MALFORMED" },
  ]);
  expect(aws.taken()).toEqual([]);
});

test("A packaged command writes entity, event and inbox record in one transaction", async () => {
  const { results } = await loanCommands.invoke(dynamoEnvironment, lendBook);
  expect(results).toMatchObject([
    {
      outcome: "done",
      id: "request-1",
      changes: [{ aggregate: "loans.Loan", id: LOAN_ID, version: 1, event: "BookLent" }],
    },
  ]);
  const [transaction, ...more] = aws.taken().filter(({ operation }) => operation !== "GetItem");
  expect(more).toEqual([]);
  expect(transaction?.operation).toBe("TransactWriteItems");
  const items = transaction?.body.TransactItems as {
    Put: { TableName: string; Item: Record<string, { S?: string; N?: string }> };
  }[];
  expect(items.map(({ Put }) => Put.TableName)).toEqual(["inbox-1", "loans-1", "outbox-1"]);
  const [inbox, loan, event] = items.map(({ Put }) => Put.Item);
  expect(inbox).toMatchObject({ consumer: { S: "loans.commands" }, messageId: { S: "request-1" } });
  expect(loan).toMatchObject({ title: { S: "Emma" }, shelf: { S: "A1" }, version: { N: "1" } });
  expect(event).toMatchObject({ type: { S: "BookLent" }, aggregateVersion: { N: "1" } });
  expect(JSON.parse(event?.payload?.S ?? "")).toEqual({
    change: { memberId: MEMBER_ID },
    state: { loanId: LOAN_ID, memberId: MEMBER_ID, title: "Emma", status: "out" },
  });
});

test("A packaged command rejects by value, after a look whether its id was done before, and writes nothing then", async () => {
  aws.answer(() => ({}));
  const { results } = await loanCommands.invoke(dynamoEnvironment, lendBook);
  expect(results).toMatchObject([{ outcome: "rejected", code: "MEMBER_UNKNOWN" }]);
  const [inbox, ...reads] = aws.taken().reverse();
  expect(new Set(reads.map(({ operation }) => operation))).toEqual(new Set(["GetItem"]));
  expect(inbox).toEqual({
    operation: "TransactGetItems",
    body: {
      TransactItems: [
        {
          Get: {
            TableName: "inbox-1",
            Key: { messageId: { S: "request-1" }, consumer: { S: "loans.commands" } },
          },
        },
      ],
    },
  });
});

test("A packaged command reads a projection by its index", async () => {
  const loan = { loanId: { S: LOAN_ID }, status: { S: "out" }, version: { N: "1" } };
  aws.answer(({ operation }) => (operation === "GetItem" ? { Item: loan } : { Items: [] }));
  const input = { loanId: LOAN_ID, city: "Turin" };
  const { results } = await loanCommands.invoke(dynamoEnvironment, { command: "returnCity", input });
  expect(results).toMatchObject([{ outcome: "done", changes: [] }]);
  expect(aws.taken().find(({ operation }) => operation === "Query")?.body).toMatchObject({
    TableName: "members-1",
    IndexName: "city",
    ExpressionAttributeNames: { "#field": "by_city" },
    ExpressionAttributeValues: { ":value": { S: "Turin" } },
  });
});

test("An error of AWS that is not a lost race is thrown, with its code", async () => {
  aws.answer((request) =>
    request.operation === "TransactWriteItems" ? awsError("ResourceNotFoundException") : knows(request),
  );
  const { results } = await loanCommands.invoke(dynamoEnvironment, lendBook);
  expect(results).toMatchObject([{ message: "ResourceNotFoundException" }]);
});

test("A packaged command of the monolith reads its credentials from Secrets Manager before it connects", async () => {
  const { results } = await memberCommands.invoke(postgresEnvironment, {
    command: "moveMember",
    input: { memberId: MEMBER_ID, city: "Turin" },
  });
  expect(results).toMatchObject([{ thrown: "DATABASE_SECRET_MALFORMED" }]);
  expect(aws.taken()).toEqual([
    { operation: "GetSecretValue", body: { SecretId: "arn:aws:secretsmanager:::secret:a" } },
  ]);
});
