import { expect, test } from "vitest";
import { domain as orders } from "../../dist/domains/orders/index.js";
import type { AnyProjection } from "../../dist/runtime/define/project.js";
import { makeProjectionHandler } from "../../dist/runtime/projection/handler.js";
import { awsError, awsStub } from "../support/aws-stub";
import { bareFunction } from "../support/bare-node";
import { cloudEvent, queueBatch } from "../support/domain-events";

const CUSTOMER_ID = "0a2e4c5d-1111-4222-8333-444455556666";
const aws = await awsStub();
const environment = {
  ...aws.environment,
  PROJECTION_TABLES: '{"customers":"orders-customers-projection-1"}',
};
const handler = await bareFunction(
  makeProjectionHandler("customers", orders.subscriptions.customers as AnyProjection),
);

const state = { customerId: CUSTOMER_ID, name: "Ada", email: "ada@example.com", city: "Turin" };
const relocated = cloudEvent({
  id: "018f3c1e-0000-7000-8000-000000000001",
  aggregate: "customers.Customer",
  aggregateId: CUSTOMER_ID,
  aggregateVersion: 7,
  type: "CustomerRelocated",
  data: { change: { from: "Rome", to: "Turin" }, state },
  occurredAt: "2026-05-04T03:02:01.234Z",
});

test("A packaged projection writes what it selects of an event's state, unless it has a newer version", async () => {
  const { results } = await handler.invoke(environment, queueBatch([relocated]));
  expect(results).toEqual([{ batchItemFailures: [] }]);
  expect(aws.taken()).toEqual([
    {
      operation: "PutItem",
      body: {
        TableName: "orders-customers-projection-1",
        Item: {
          aggregateId: { S: CUSTOMER_ID },
          version: { N: "7" },
          occurredAt: { S: "2026-05-04T03:02:01.234Z" },
          eventId: { S: "018f3c1e-0000-7000-8000-000000000001" },
          fields: { M: { name: { S: "Ada" }, city: { S: "Turin" } } },
        },
        ConditionExpression: "attribute_not_exists(#version) OR #version < :version",
        ExpressionAttributeNames: { "#version": "version" },
        ExpressionAttributeValues: { ":version": { N: "7" } },
      },
    },
  ]);
});

test("A packaged projection gives back a message that is no event, and takes the others of its batch", async () => {
  const { results } = await handler.invoke(environment, queueBatch(["no JSON", relocated, '{"detail":{}}']));
  expect(results).toEqual([{ batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m3" }] }]);
  expect(aws.taken().map(({ operation }) => operation)).toEqual(["PutItem"]);
});

test("A packaged projection tells what it has newer from what failed", async () => {
  aws.answer(() => awsError("ConditionalCheckFailedException"));
  expect((await handler.invoke(environment, queueBatch([relocated]))).results).toEqual([
    { batchItemFailures: [] },
  ]);
  aws.answer(() => awsError("ResourceNotFoundException"));
  const failed = await handler.invoke(environment, queueBatch([relocated]));
  expect(failed.results).toEqual([{ batchItemFailures: [{ itemIdentifier: "m1" }] }]);
  expect(failed.log).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ level: "error", messageId: "m1", code: "ResourceNotFoundException" }),
    ]),
  );
});
