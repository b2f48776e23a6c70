import {
  KinesisClient,
  type KinesisClientConfig,
  PutRecordsCommand,
  type PutRecordsResultEntry,
} from "@aws-sdk/client-kinesis";
import { DescribeStreamCommand } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import type { DmsRecord } from "./dms-record";

/** Writes records to one Kinesis stream. */
export interface KinesisWriter {
  /**
   * Writes all records and resolves when the stream has them, those of one partition key in their order. Throttling and
   * outages are waited for, without end; `signal` gives up between two calls, and resolves with what is not written yet.
   *
   * @param onWritten told of the records of each call, when it has succeeded
   * @throws CAPTURE_STREAM_REFUSED where trying again would not help
   */
  write<R extends DmsRecord>(
    records: readonly R[],
    signal: AbortSignal,
    onWritten: (records: R[], at: Date) => void,
  ): Promise<R[]>;
  close(): void;
}

/** Limits of one PutRecords call. */
const MAX_RECORDS = 500;
const MAX_BYTES = 5 * 1024 * 1024;
const FIRST_WAIT_MILLISECONDS = 50;
const LONGEST_WAIT_MILLISECONDS = 2_000;

/**
 * Connects to a stream.
 *
 * @param report told once when the stream takes no records, and once when it does again
 * @throws CAPTURE_STREAM_REFUSED where the stream is not there or the role may not use it
 */
export async function openKinesisWriter(
  config: KinesisClientConfig,
  streamArn: string,
  report: (line: string) => void,
): Promise<KinesisWriter> {
  const client = new KinesisClient({ ...overHttp1(config), maxAttempts: 1 });
  const waiting = { reported: false };
  await client.send(new DescribeStreamCommand({ StreamARN: streamArn })).catch((error: unknown) => {
    client.destroy();
    throw refused(streamArn, error);
  });
  const put = async <R extends DmsRecord>(batch: R[]): Promise<PutRecordsResultEntry[] | undefined> => {
    const entries = batch.map(({ data, partitionKey }) => ({ Data: data, PartitionKey: partitionKey }));
    try {
      return (
        (await client.send(new PutRecordsCommand({ StreamARN: streamArn, Records: entries }))).Records ?? []
      );
    } catch (error) {
      if (!isPassing(error)) throw refused(streamArn, error);
      if (!waiting.reported) report(`Kinesis takes no records (${reasonOf(error)}); trying on`);
      waiting.reported = true;
      return undefined;
    }
  };
  return {
    async write(records, signal, onWritten) {
      const queues = byKey(records);
      let wait = FIRST_WAIT_MILLISECONDS;
      while (queues.size > 0 && !signal.aborted) {
        const batch = nextBatch(queues);
        const results = await put(batch);
        const written = batch.filter((_, index) => results?.[index]?.SequenceNumber !== undefined);
        for (const { partitionKey } of written) shiftQueue(queues, partitionKey);
        if (written.length > 0) onWritten(written, new Date());
        if (written.length === batch.length) {
          if (waiting.reported) report("Kinesis takes records again");
          waiting.reported = false;
          wait = FIRST_WAIT_MILLISECONDS;
          continue;
        }
        // Half fixed, half random, so that several writers do not come back at the same moment.
        await delay(wait / 2 + Math.random() * (wait / 2), undefined, { signal }).catch(() => {});
        wait = Math.min(wait * 2, LONGEST_WAIT_MILLISECONDS);
      }
      return [...queues.values()].flat();
    },
    close: () => client.destroy(),
  };
}

function byKey<R extends DmsRecord>(records: readonly R[]): Map<string, R[]> {
  const queues = new Map<string, R[]>();
  for (const record of records) {
    const queue = queues.get(record.partitionKey);
    if (queue) queue.push(record);
    else queues.set(record.partitionKey, [record]);
  }
  return queues;
}

/** The first record of each key: two of a key in one call would be out of order if the first alone failed. */
function nextBatch<R extends DmsRecord>(queues: Map<string, R[]>): R[] {
  const batch: R[] = [];
  let bytes = 0;
  for (const [record] of queues.values()) {
    if (!record || batch.length === MAX_RECORDS) break;
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
    if (bytes > MAX_BYTES && batch.length > 0) break;
    batch.push(record);
  }
  return batch;
}

function shiftQueue(queues: Map<string, unknown[]>, partitionKey: string): void {
  const queue = queues.get(partitionKey);
  queue?.shift();
  if (queue?.length === 0) queues.delete(partitionKey);
}

/** The SDK speaks HTTP/2 to Kinesis, which emulators do not take; another client's handler speaks HTTP/1.1. */
function overHttp1(config: KinesisClientConfig): KinesisClientConfig {
  if (config.requestHandler) return config;
  return { ...config, requestHandler: new LambdaClient({ region: "us-east-1" }).config.requestHandler };
}

/** Throttling, an outage, or a broken connection: what time heals. */
function isPassing(error: unknown): boolean {
  const { $metadata, $retryable } = error as {
    $metadata?: { httpStatusCode?: number };
    $retryable?: unknown;
  };
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return CONNECTION_ERRORS.includes(errorCode(error) ?? "");
  return status >= 500 || $retryable !== undefined || PASSING_ERRORS.includes((error as Error).name);
}

const CONNECTION_ERRORS = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "TimeoutError", "EAI_AGAIN"];
const PASSING_ERRORS = [
  "ProvisionedThroughputExceededException",
  "KMSThrottlingException",
  "ThrottlingException",
  "LimitExceededException",
  "ResourceInUseException",
  "ExpiredTokenException",
];

function refused(streamArn: string, cause: unknown) {
  return codedError(
    "CAPTURE_STREAM_REFUSED",
    `Cannot write to the Kinesis stream "${streamArn}": ${reasonOf(cause)}`,
    { cause },
  );
}

function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  return [name === "Error" ? errorCode(error) : name, message].filter(Boolean).join(": ");
}
