/** The way of field-kinds' events from a stream to a projection, on an emulator of the test file. */
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { project } from "../../../runtime";
import type { ProjectionHandle } from "../../../runtime/define/handles";
import { makeProjectionHandler } from "../../../runtime/projection/handler";
import { projectionHandle } from "../../../runtime/projection/table";
import { emulatorFixture } from "../../local/event-sources/emulator-fixture";
import { inProcess } from "../../local/event-sources/in-process";
import { type Committed, thingName, thingsOf } from "../domain/drive-field-types";
import { FIELD_KINDS } from "../domain/field-kinds";
import { capturedLog } from "../process/captured-log";
import { createHoldsTable } from "./holds-table";
import { type BankTables, createBankTables, PROJECTION_TABLE } from "./bank-tables";

const BUS = "fields";
const HOLDS_TABLE = "fields-holds";
const READ = {
  kinesis: ["kinesis:DescribeStream", "kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords"],
  dynamodb: [
    "dynamodb:DescribeStream",
    "dynamodb:GetShardIterator",
    "dynamodb:GetRecords",
    "dynamodb:ListStreams",
  ],
  sqs: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
};
const PARTIAL = { functionResponseTypes: ["ReportBatchItemFailures"] };

/** Starts the emulator for the test file. Call this outside of tests. */
export function subscribersOf() {
  capturedLog();
  let fixture: Awaited<ReturnType<typeof emulatorFixture>>;
  let tables: BankTables;
  beforeAll(async () => {
    fixture = await emulatorFixture();
    tables = await createBankTables(fixture);
    vi.stubEnv("PROJECTION_TABLES", JSON.stringify({ things: PROJECTION_TABLE }));
    vi.stubEnv("EVENT_BUS_NAME", BUS);
    vi.stubEnv("HOLDS_TABLE", HOLDS_TABLE);
    await createHoldsTable(fixture.dynamodb, HOLDS_TABLE);
  });
  afterAll(async () => {
    tables.documents.destroy();
    await fixture.close();
  });
  const invoking = async (
    arn: string,
    read: string[],
    handle: (event: never, context: Context) => Promise<unknown>,
  ) => {
    const functionName = await fixture.createFunction("async () => ({})");
    await fixture.allow(functionName, read, arn);
    return { mapping: { eventSourceArn: arn, functionName, ...PARTIAL }, invoke: inProcess(handle as never) };
  };
  return {
    /** The tables on the emulator; available once the first test begins. */
    tables: () => ({ ...tables, createTable: fixture.createTable, dynamodb: fixture.dynamodb }),
    /** Makes the bus, and its subscription with projections of all kinds. */
    async open() {
      const [queue, quarantine] = [await fixture.createQueue(), await fixture.createQueue()];
      vi.stubEnv("QUARANTINE_QUEUE_URL", quarantine.url);
      const events = new EventBridgeClient({});
      const on = { EventBusName: BUS };
      await events.send(new CreateEventBusCommand({ Name: BUS }));
      await events.send(new PutRuleCommand({ ...on, Name: "things", EventPattern: '{"source":["test"]}' }));
      await events.send(
        new PutTargetsCommand({ ...on, Rule: "things", Targets: [{ Id: "queue", Arn: queue.arn }] }),
      );
      events.destroy();
      const { mapping, invoke } = await invoking(queue.arn, READ.sqs, projectionsOfAll());
      const subscriber = await fixture.start(mapping, { invoke, pace: { longPollSeconds: 0 } });
      return {
        kinesis: fixture.kinesis,
        createStream: fixture.createStream,
        /** Lets a relay read a stream until nothing is left of it, in the queue either. */
        async start(
          arn: string,
          kind: "kinesis" | "dynamodb",
          relay: (event: never, context: Context) => Promise<unknown>,
        ) {
          const source = await invoking(arn, READ[kind], relay);
          const mapping = {
            ...source.mapping,
            startingPosition: "TRIM_HORIZON",
            bisectBatchOnFunctionError: true,
            maximumRetryAttempts: -1,
            maximumRecordAgeInSeconds: -1,
          };
          await (await fixture.start(mapping, { invoke: source.invoke })).waitUntilDrained();
          await subscriber.waitUntilDrained();
          expect(await quarantine.bodies()).toEqual([]);
          expect(subscriber.recordsOf("failed")).toEqual([]);
        },
        /** Checks that the projection has the last values, each at its version. */
        async projected(all: Map<string, Committed>) {
          expect(all.size).toBeGreaterThan(30);
          for (const [kind, committed] of all) {
            const copies = projectionHandle(
              tables.documents,
              PROJECTION_TABLE,
              projectionOf(kind),
            ) as ProjectionHandle<Record<string, unknown>>;
            for (const [pk, values] of committed) {
              const last = JSON.parse(JSON.stringify({ pk, value: values.at(-1) })) as object;
              expect({ kind, ...(await copies.find(pk.toUpperCase())) }).toEqual({ kind, ...last });
            }
          }
        },
      };
    },
  };
}

function projectionOf(kind: string) {
  return project(thingsOf(kind).aggregate, (state) => state as Record<string, unknown>);
}

/** One function in the place of one for each kind: hands every message to the projection of its aggregate. */
function projectionsOfAll() {
  const handlers = new Map<string, (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>>();
  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const batchItemFailures: SQSBatchResponse["batchItemFailures"] = [];
    for (const record of Records) {
      const { detail } = JSON.parse(record.body) as { detail: { dataschema: string } };
      const aggregate = detail.dataschema.split(":")[3] ?? "";
      const kind = Object.keys(FIELD_KINDS).find((one) => thingName(one) === aggregate) ?? "";
      const known =
        handlers.get(kind) ?? makeProjectionHandler("things", projectionOf(kind)).callbackFactory();
      handlers.set(kind, known);
      batchItemFailures.push(...(await known({ Records: [record] }, context)).batchItemFailures);
    }
    return { batchItemFailures };
  };
}
