import { DescribeStreamCommand, KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test } from "vitest";
import { type KinesisWriter, openKinesisWriter } from "../../../dist/local/capture/kinesis-writer.js";

const ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/outbox";
const kinesis = mockClient(KinesisClient);
const never = new AbortController().signal;
let lines: string[];
let writer: KinesisWriter;

beforeEach(async () => {
  kinesis.reset();
  kinesis.on(DescribeStreamCommand).resolves({});
  lines = [];
  writer = await openKinesisWriter({ region: "us-east-1" }, ARN, (line) => lines.push(line));
});

const record = (partitionKey: string, text: string) => ({ partitionKey, data: Buffer.from(text) });

/** What each call held, e.g. ["a1 b1", "a2"]. */
function calls(): string[] {
  return kinesis
    .commandCalls(PutRecordsCommand)
    .map(({ args }) =>
      (args[0].input.Records ?? []).map(({ Data }) => Buffer.from(Data ?? []).toString()).join(" "),
    );
}

/** Makes the records of a call fail for which `fails` says so. */
function answer(fails: (text: string, call: number) => boolean): void {
  let call = 0;
  kinesis.on(PutRecordsCommand).callsFake((input: { Records: { Data: Buffer }[] }) => {
    call += 1;
    const Records = input.Records.map(({ Data }, index) =>
      fails(Data.toString(), call)
        ? { ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: "slow down" }
        : { SequenceNumber: `${call}-${index}`, ShardId: "shardId-000000000000" },
    );
    return { Records, FailedRecordCount: Records.filter((result) => "ErrorCode" in result).length };
  });
}

async function write(...records: ReturnType<typeof record>[]): Promise<string[]> {
  const written: string[] = [];
  await writer.write(records, never, {
    onWritten: (done) => written.push(...done.map(({ data }) => data.toString())),
  });
  return written;
}

test("records of one key are written one after another, those of other keys beside them", async () => {
  answer(() => false);
  expect(
    await write(
      record("a", "a1"),
      record("a", "a2"),
      record("b", "b1"),
      record("a", "a3"),
      record("b", "b2"),
    ),
  ).toEqual(["a1", "b1", "a2", "b2", "a3"]);
  expect(calls()).toEqual(["a1 b1", "a2 b2", "a3"]);
});

test("a record that fails alone is retried before the next of its key, and does not delay other keys", async () => {
  answer((text, call) => text === "a1" && call < 3);
  expect(await write(record("a", "a1"), record("b", "b1"), record("a", "a2"), record("b", "b2"))).toEqual([
    "b1",
    "b2",
    "a1",
    "a2",
  ]);
  expect(calls()).toEqual(["a1 b1", "a1 b2", "a1", "a2"]);
});

test("a call has at most 500 records and 5 MB", async () => {
  answer(() => false);
  await write(...Array.from({ length: 1_001 }, (_, index) => record(`k${index}`, "x")));
  expect(calls().map((call) => call.split(" ").length)).toEqual([500, 500, 1]);
  kinesis.resetHistory();
  await write(...Array.from({ length: 6 }, (_, index) => record(`k${index}`, "x".repeat(1_000_000))));
  expect(calls().map((call) => call.split(" ").length)).toEqual([5, 1]);
});

test("an outage is retried and reported once", async () => {
  kinesis
    .on(PutRecordsCommand)
    .rejectsOnce(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }))
    .rejectsOnce(
      Object.assign(new Error("oops"), { name: "InternalFailure", $metadata: { httpStatusCode: 500 } }),
    )
    .resolves({ Records: [{ SequenceNumber: "1" }], FailedRecordCount: 0 });
  expect(await write(record("a", "a1"))).toEqual(["a1"]);
  expect(lines).toEqual([
    "Kinesis does not accept records (ECONNREFUSED: connect ECONNREFUSED); retrying",
    "Kinesis accepts records again",
  ]);
});

test("a refusal is an error and not retried", async () => {
  kinesis.on(PutRecordsCommand).rejects(
    Object.assign(new Error("not allowed"), {
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 400 },
    }),
  );
  await expect(write(record("a", "a1"))).rejects.toMatchObject({
    code: "CAPTURE_STREAM_REFUSED",
    message: `Cannot write to the Kinesis stream "${ARN}": AccessDeniedException: not allowed`,
  });
  expect(calls()).toHaveLength(1);
});

test("a write that is stopped returns what is not written", async () => {
  const stop = new AbortController();
  kinesis.on(PutRecordsCommand).callsFake(() => {
    stop.abort();
    return { Records: [{ SequenceNumber: "1" }], FailedRecordCount: 0 };
  });
  const left = await writer.write([record("a", "a1"), record("a", "a2")], stop.signal);
  expect(left.map(({ data }) => data.toString())).toEqual(["a2"]);
});

describe("a call that Kinesis refuses because of its records", () => {
  const refusing = (bad: string) =>
    kinesis.on(PutRecordsCommand).callsFake((input: { Records: { Data: Buffer }[] }) => {
      if (input.Records.some(({ Data }) => Data.toString().startsWith(bad))) {
        throw Object.assign(new Error("Member must have length less than or equal to 256"), {
          name: "ValidationException",
          $metadata: { httpStatusCode: 400 },
        });
      }
      return { Records: input.Records.map((_, index) => ({ SequenceNumber: String(index) })) };
    });
  const records = Array.from({ length: 9 }, (_, index) =>
    record(`key ${index}`, index === 6 ? "bad" : `r${index}`),
  );

  test("is split until the record is found, and another takes its place", async () => {
    refusing("bad");
    const reasons: string[] = [];
    const written: string[] = [];
    const left = await writer.write([...records, record("key 6", "after")], never, {
      onWritten: (done) => written.push(...done.map(({ data }) => data.toString())),
      instead: (_, reason) => {
        reasons.push(reason);
        return record("public.outbox", "instead");
      },
    });
    expect(left).toEqual([]);
    expect(reasons).toEqual(["ValidationException: Member must have length less than or equal to 256"]);
    const expected = ["r0", "r1", "r2", "r3", "r4", "r5", "instead", "r7", "r8", "after"];
    expect([...written].sort()).toEqual([...expected].sort());
    expect(written.indexOf("instead")).toBeLessThan(written.indexOf("after"));
  });

  test("fails where nothing takes its place, or what does is refused too", async () => {
    refusing("bad");
    await expect(writer.write(records, never)).rejects.toMatchObject({ code: "CAPTURE_STREAM_REFUSED" });
    const instead = () => record("public.outbox", "bad too");
    await expect(writer.write(records, never, { instead })).rejects.toMatchObject({
      code: "CAPTURE_STREAM_REFUSED",
    });
  });
});
