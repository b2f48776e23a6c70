import { DynamoDBClient, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { DynamoDBDocumentClient, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { aggregate, command, project, react, table } from "../../../runtime";
import { makeCommandHandler } from "../../../runtime/command/handler";
import { storeOn } from "../../../runtime/dynamodb/store";
import { makeProjectionHandler } from "../../../runtime/projection/handler";
import { makeReactionHandler } from "../../../runtime/reaction/handler";
import { decodeDmsRecord } from "../../../runtime/relay/kinesis-relay";
import { relayBatch } from "../../../runtime/relay/relay-batch";
import { bridgeEvent, cloudEvent, queueBatch } from "../../support/domain/domain-events";
import { fakeStore } from "../../support/domain/fake-store";
import { fakeHolds } from "../../support/dynamodb/fake-holds";
import { BANK_EVENTS, dmsRecord, lambdaContext } from "../../support/domain/outbox-records";
import { capturedLog } from "../../support/process/captured-log";
import { everythingIn } from "../../support/process/everything-in";

const MARK = "4111222233334444";
const log = capturedLog();
const Account = aggregate("bank.Account", {
  key: "accountId",
  state: () => z.object({ accountId: z.string(), owner: z.string() }),
  events: { AccountOpened: () => z.object({}) },
});

beforeEach(() => {
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("PROJECTION_TABLES", '{"copies":"copies"}');
});

describe("a malformed message with a private value in every field", () => {
  const event = cloudEvent();
  const malformed: [string, Record<string, unknown>][] = [
    ...Object.keys(event)
      // An event's id is an id, by which a log finds the message.
      .filter((field) => field !== "id")
      .map((field): [string, Record<string, unknown>] => [field, { [field]: MARK }]),
    ...["time", "sequence", "dataschema", "subject"].map((field): [string, Record<string, unknown>] => [
      `${field}, which is an object`,
      { [field]: { [MARK]: MARK } },
    ]),
    ["everything", Object.fromEntries(Object.keys(event).map((field) => [field, MARK]))],
    ["a NUL in the state", { data: { change: {}, state: { owner: `${MARK}\0` } } }],
    ["a key of the state", { data: { change: {}, state: { [MARK]: { [MARK]: "\0" } } } }],
    ["a number", { data: { change: { n: [Number(MARK) * 1e5] }, state: null } }],
  ];

  test.each(malformed)("is returned to its queue, and the log has no value: %s", async (_, detail) => {
    const body = JSON.stringify(bridgeEvent(event, detail));
    const copies = project(Account, () => {
      throw new SyntaxError(MARK);
    });
    const reactions = react(Account, {
      uses: {},
      on: { AccountOpened: () => JSON.parse(`x${MARK}`) as never },
    });
    const store = { variables: [], open: () => fakeStore() };
    for (const handle of [
      makeProjectionHandler("copies", copies as never).callbackFactory(),
      makeReactionHandler("shop.reactions", reactions, store).callbackFactory(),
    ]) {
      log.length = 0;
      await handle(queueBatch([body, MARK]), lambdaContext());
      expect(log.length).toBeGreaterThan(1);
      expect(JSON.stringify(log)).not.toContain(MARK);
    }
  });
});

describe("a record that a relay cannot decode", () => {
  const queue = mockClient(SQSClient);
  const fields = Object.keys(dmsRecord().data);

  test.each([
    ...fields.map((field): [string, Record<string, unknown>] => [
      field,
      { [field]: field.endsWith("version") ? MARK + "x" : `${MARK}\0` },
    ]),
    ["a payload that is not JSON", { payload: `{${MARK}` }],
    [
      "a key in the payload",
      { payload: JSON.stringify({ change: {}, state: { [MARK]: { [MARK]: "\0" } } }) },
    ],
    ["a time", { occurred_at: MARK }],
    [
      "a payload that is too large",
      { payload: JSON.stringify({ change: {}, state: { note: MARK.repeat(30_000) } }) },
    ],
  ])("is described in quarantine and in the log without its values: %s", async (_, row) => {
    queue.reset();
    const payload = Buffer.from(JSON.stringify(dmsRecord(row)));
    const record = { ...decodeDmsRecord(payload), sequenceNumber: "1", payload: () => payload };
    const targets = {
      events: new EventBridgeClient({}),
      queues: new SQSClient({}),
      eventBus: "bus",
      quarantineQueue: "https://queue",
      known: BANK_EVENTS,
      holds: fakeHolds().table,
    };
    await relayBatch([record], "arn:stream", targets, () => 30_000);
    const [sent] = queue.commandCalls(SendMessageCommand);
    const { payload: content, ...description } = JSON.parse(
      sent?.args[0].input.MessageBody ?? "{}",
    ) as Record<string, unknown>;
    expect(content).toBeDefined();
    expect(JSON.stringify([description, log])).not.toContain(MARK);
  });
});

describe("a transaction that DynamoDB refuses", () => {
  const dynamodb = mockClient(DynamoDBDocumentClient);
  const accounts = table(Account, { private: () => z.object({ note: z.string() }) });
  const open = command({
    uses: { accounts },
    input: () => z.object({ accountId: z.string(), owner: z.string(), note: z.string() }),
    handle: (input, { accounts }) => accounts.create(input).raise("AccountOpened"),
  });
  const tables = {
    entities: { accounts: "accounts" },
    outbox: "outbox",
    inbox: "inbox",
    outboxRetentionDays: 7,
    inboxRetentionDays: 30,
  };
  const store = {
    variables: [],
    open: () => storeOn(DynamoDBDocumentClient.from(new DynamoDBClient({})), tables, {}),
  };

  test.each([
    ["with the items that were there", "ThrottlingError"],
    ["with a message that quotes", "ValidationError"],
    ["since the aggregate exists", "ConditionalCheckFailed"],
  ])("%s leaves no value in the answer, the error or the log", async (_, Code) => {
    const Item = { accountId: { S: "a" }, version: { N: "1" }, note: { S: MARK } };
    const failure = new TransactionCanceledException({
      message: "Transaction cancelled",
      $metadata: { httpStatusCode: 400 },
      CancellationReasons: [{ Code, Item, Message: `cannot be converted: ${MARK}` }, { Code: "None" }],
    });
    dynamodb.reset();
    dynamodb.on(TransactWriteCommand).rejects(failure);
    expect(everythingIn(failure)).toContain(MARK);
    const handle = makeCommandHandler("bank", { open }, store).callbackFactory();
    const input = { accountId: "a", owner: MARK, note: MARK };
    const result: unknown = await handle({ command: "open", input }, lambdaContext()).catch(
      (error: unknown) => error,
    );
    expect(result).toBeDefined();
    expect(everythingIn(result) + JSON.stringify(log)).not.toContain(MARK);
  });

  test("and an item that is too large is answered as invalid, without its content", async () => {
    const handle = makeCommandHandler("bank", { open }, store).callbackFactory();
    const input = { accountId: "a", owner: "x", note: MARK.repeat(30_000) };
    const answer = await handle({ command: "open", input }, lambdaContext());
    expect(answer).toMatchObject({ outcome: "invalid" });
    expect(JSON.stringify([answer, log])).not.toContain(MARK);
  });
});
