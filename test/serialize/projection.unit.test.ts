import { expect, test } from "vitest";
import { lambdaPackage } from "../../dist/components/function/lambda-package.js";
import { project } from "../../dist/runtime/index.js";
import { Member } from "../../dist/test/fixtures/domains/members/contract.js";
import { writeTableNames } from "../../dist/runtime/function/table-names.js";
import { makeProjectionHandler } from "../../dist/runtime/projection/handler.js";
import { awsError, awsStub } from "../support/dynamodb/aws-stub";
import { bareFunction } from "../support/process/bare-node";
import { cloudEvent, queueBatch } from "../support/domain/domain-events";

const MEMBER_ID = "0a2e4c5d-1111-4222-8333-444455556666";
const aws = await awsStub();
const environment = {
  ...aws.environment,
  PROJECTION_TABLES: '{"members":"loans-members-projection-1"}',
};
const projected = () => project(Member, ({ name, city }) => ({ name, city }), { indexes: ["city"] });
const handler = await bareFunction(makeProjectionHandler("members", projected()));

const state = { memberId: MEMBER_ID, name: "Ada", email: "ada@example.com", city: "Turin", lent: 0 };
const moved = cloudEvent({
  id: "018f3c1e-0000-7000-8000-000000000001",
  aggregate: "members.Member",
  aggregateId: MEMBER_ID,
  aggregateVersion: 7,
  type: "MemberMoved",
  data: { change: { from: "Rome", to: "Turin" }, state },
  occurredAt: "2026-05-04T03:02:01.234Z",
});

test("A packaged projection writes what it selects of an event's state, unless it has a newer version", async () => {
  const { results } = await handler.invoke(environment, queueBatch([moved]));
  expect(results).toEqual([{ batchItemFailures: [] }]);
  expect(aws.taken()).toEqual([
    {
      operation: "PutItem",
      body: {
        TableName: "loans-members-projection-1",
        Item: {
          aggregateId: { S: MEMBER_ID },
          version: { N: "7" },
          occurredAt: { S: "2026-05-04T03:02:01.234Z" },
          eventId: { S: "018f3c1e-0000-7000-8000-000000000001" },
          fields: { M: { name: { S: "Ada" }, city: { S: "Turin" } } },
          by_city: { S: "Turin" },
        },
        ConditionExpression: "attribute_not_exists(#version) OR #version < :version",
        ExpressionAttributeNames: { "#version": "version" },
        ExpressionAttributeValues: { ":version": { N: "7" } },
      },
    },
  ]);
});

test("A packaged function finds its table among many, which are named in the compact form", async () => {
  const names = ["members", ...Array.from({ length: 40 }, (_, index) => `others${index}`)];
  const tables = Object.fromEntries(names.map((name) => [name, `loans-${name}-projection-1a2b3c4`]));
  const PROJECTION_TABLES = writeTableNames(tables);
  expect(PROJECTION_TABLES).not.toContain("{");
  const { results } = await handler.invoke({ ...environment, PROJECTION_TABLES }, queueBatch([moved]));
  expect(results).toEqual([{ batchItemFailures: [] }]);
  expect(aws.taken()).toMatchObject([{ body: { TableName: "loans-members-projection-1a2b3c4" } }]);
});

test("A packaged projection gives back a message that is not an event, and takes the others of its batch", async () => {
  const { results } = await handler.invoke(environment, queueBatch(["no JSON", moved, '{"detail":{}}']));
  expect(results).toEqual([{ batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m3" }] }]);
  expect(aws.taken().map(({ operation }) => operation)).toEqual(["PutItem"]);
});

test("A packaged projection distinguishes what it has newer from what failed", async () => {
  aws.answer(() => awsError("ConditionalCheckFailedException"));
  expect((await handler.invoke(environment, queueBatch([moved]))).results).toEqual([
    { batchItemFailures: [] },
  ]);
  aws.answer(() => awsError("ResourceNotFoundException"));
  const failed = await handler.invoke(environment, queueBatch([moved]));
  expect(failed.results).toEqual([{ batchItemFailures: [{ itemIdentifier: "m1" }] }]);
  expect(failed.log).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ level: "error", messageId: "m1", code: "ResourceNotFoundException" }),
    ]),
  );
});

test("Projections that are declared alike share one package, whichever domain they are of", async () => {
  const packages = [1, 2].map((number) =>
    lambdaPackage(`domain ${number}`, makeProjectionHandler("members", projected()).callbackFactory),
  );
  const [one, other] = await Promise.all(packages);
  expect(one).toBe(other);
});
