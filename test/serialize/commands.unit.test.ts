import { beforeEach, expect, test } from "vitest";
import { domain as customers } from "../../dist/domains/customers/index.js";
import { domain as orders } from "../../dist/domains/orders/index.js";
import { makeCommandHandler } from "../../dist/runtime/command/handler.js";
import { openDynamoStore } from "../../dist/runtime/dynamodb/store.js";
import { openPostgresStore } from "../../dist/runtime/postgres/store.js";
import { type AwsRequest, awsError, awsStub } from "../support/aws-stub";
import { bareFunction } from "../support/bare-node";

const [ORDER_ID, CUSTOMER_ID, PRODUCT_ID] = [1, 2, 3].map(
  (digit) => `${digit}${"0a2e4c5d-1111-4222-8333-444455556666".slice(1)}`,
);
const aws = await awsStub();
const dynamoEnvironment = {
  ...aws.environment,
  ENTITY_TABLES: '{"orders":"orders-1"}',
  PROJECTION_TABLES: '{"customers":"customers-1","products":"products-1"}',
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
  DATABASE_NAME: "shop",
  DATABASE_TLS: "disable",
  DATABASE_SECRET_ARN: "arn:aws:secretsmanager:::secret:a",
};
const [orderCommands, customerCommands] = await Promise.all([
  bareFunction(makeCommandHandler("orders", orders.commands, openDynamoStore)),
  bareFunction(makeCommandHandler("customers", customers.commands, () => openPostgresStore())),
]);

const placeOrder = {
  command: "placeOrder",
  id: "request-1",
  input: { orderId: ORDER_ID, customerId: CUSTOMER_ID, productId: PRODUCT_ID, quantity: 3 },
};
/** What the tables hold: a product and a customer, and no order. */
function knows({ operation, body }: AwsRequest): object {
  if (operation !== "GetItem") return {};
  const fields: Record<string, object> = {
    "customers-1": { name: { S: "Ada" }, city: { S: "Turin" } },
    "products-1": { title: { S: "Lamp" }, priceCents: { N: "1250" } },
  };
  const found = fields[String(body.TableName)];
  return found ? { Item: { aggregateId: { S: "any" }, version: { N: "1" }, fields: { M: found } } } : {};
}

beforeEach(() => {
  aws.taken();
  aws.answer(knows);
});

test.each([
  { kind: "microservice", commands: orderCommands, environment: dynamoEnvironment },
  { kind: "module of the monolith", commands: customerCommands, environment: postgresEnvironment },
])("The packaged commands of a $kind answer what is not valid without asking anybody", async (domain) => {
  const [name] = Object.keys(domain.kind === "microservice" ? orders.commands : customers.commands).sort();
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
  const { results } = await orderCommands.invoke(dynamoEnvironment, placeOrder);
  expect(results).toMatchObject([
    {
      outcome: "done",
      id: "request-1",
      changes: [{ aggregate: "orders.Order", id: ORDER_ID, version: 1, event: "OrderPlaced" }],
    },
  ]);
  const [transaction, ...more] = aws.taken().filter(({ operation }) => operation !== "GetItem");
  expect(more).toEqual([]);
  expect(transaction?.operation).toBe("TransactWriteItems");
  const items = transaction?.body.TransactItems as {
    Put: { TableName: string; Item: Record<string, object> };
  }[];
  expect(items.map(({ Put }) => Put.TableName)).toEqual(["inbox-1", "orders-1", "outbox-1"]);
  expect(items[0]?.Put.Item).toMatchObject({
    consumer: { S: "orders.commands" },
    messageId: { S: "request-1" },
  });
  expect(items[1]?.Put.Item).toMatchObject({ totalCents: { N: "3750" }, version: { N: "1" } });
  expect(items[2]?.Put.Item).toMatchObject({ type: { S: "OrderPlaced" }, aggregateVersion: { N: "1" } });
});

test("A packaged command rejects by value, after a look whether its id was done before, and writes nothing then", async () => {
  aws.answer((request) => (request.body.TableName === "products-1" ? {} : knows(request)));
  const { results } = await orderCommands.invoke(dynamoEnvironment, placeOrder);
  expect(results).toMatchObject([{ outcome: "rejected", code: "PRODUCT_UNKNOWN" }]);
  const [inbox, ...reads] = aws.taken().reverse();
  expect(new Set(reads.map(({ operation }) => operation))).toEqual(new Set(["GetItem"]));
  expect(inbox).toEqual({
    operation: "TransactGetItems",
    body: {
      TransactItems: [
        {
          Get: {
            TableName: "inbox-1",
            Key: { messageId: { S: "request-1" }, consumer: { S: "orders.commands" } },
          },
        },
      ],
    },
  });
});

test("An error of AWS that is no lost race is thrown, with its code", async () => {
  aws.answer((request) =>
    request.operation === "TransactWriteItems" ? awsError("ResourceNotFoundException") : knows(request),
  );
  const { results } = await orderCommands.invoke(dynamoEnvironment, placeOrder);
  expect(results).toMatchObject([{ message: "ResourceNotFoundException" }]);
});

test("A packaged command of the monolith reads its credentials from Secrets Manager before it connects", async () => {
  const { results } = await customerCommands.invoke(postgresEnvironment, {
    command: "relocateCustomer",
    input: { customerId: CUSTOMER_ID, city: "Turin" },
  });
  expect(results).toMatchObject([{ thrown: "DATABASE_SECRET_MALFORMED" }]);
  expect(aws.taken()).toEqual([
    { operation: "GetSecretValue", body: { SecretId: "arn:aws:secretsmanager:::secret:a" } },
  ]);
});
