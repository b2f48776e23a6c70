import {
  DescribeStreamCommand,
  KinesisClient,
  type KinesisClientConfig,
  type KinesisServiceException,
  PutRecordsCommand,
  type PutRecordsResultEntry,
} from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import type { DmsRecord } from "./encode-dms-record";

/** Writes records to one Kinesis stream. */
export interface KinesisWriter {
  /**
   * Writes all records, those of one partition key in their order, and resolves when the stream has them.
   * Throttling and outages are retried without end. `signal` stops it between two calls; it then resolves with
   * the records not yet written. A call that Kinesis refuses because of its records is split until the record is found
   * that it refuses.
   *
   * @throws CAPTURE_STREAM_REFUSED if a retry would not help
   */
  write<R extends DmsRecord>(
    records: readonly R[],
    signal: AbortSignal,
    events?: WriteEvents<R>,
  ): Promise<R[]>;
  close(): void;
}

/** What a caller learns while its records are written. */
export interface WriteEvents<R extends DmsRecord> {
  /** Called after each PutRecords call with the records that the stream has taken. */
  onWritten?(records: R[], at: Date): void;
  /** Makes the record to put instead of one that Kinesis refuses. @default the write fails */
  instead?(record: R, reason: string): R;
}

/** Limits of one PutRecords call. */
const MAX_RECORDS = 500;
const MAX_BYTES = 5 * 1024 * 1024;
const FIRST_WAIT_MILLISECONDS = 50;
const LONGEST_WAIT_MILLISECONDS = 2_000;

/**
 * Connects to a stream.
 *
 * @param report called once when the stream stops accepting records, and once when it accepts them again
 * @throws CAPTURE_STREAM_REFUSED if the stream does not exist or the role may not use it
 */
export async function openKinesisWriter(
  config: KinesisClientConfig,
  streamArn: string,
  report: (line: string) => void,
): Promise<KinesisWriter> {
  const client = new KinesisClient({ ...overHttp1(config), maxAttempts: 1 });
  const waiting = { reported: false };
  let lastRefusal: unknown;
  await client.send(new DescribeStreamCommand({ StreamARN: streamArn })).catch((error: unknown) => {
    client.destroy();
    throw refused(streamArn, error);
  });
  const put = async <R extends DmsRecord>(
    batch: R[],
  ): Promise<PutRecordsResultEntry[] | "refused" | undefined> => {
    const entries = batch.map(({ data, partitionKey }) => ({ Data: data, PartitionKey: partitionKey }));
    try {
      const command = new PutRecordsCommand({ StreamARN: streamArn, Records: entries });
      return (await client.send(command)).Records ?? [];
    } catch (error) {
      if (isAboutRecords(error)) {
        lastRefusal = error;
        return "refused";
      }
      if (!isPassing(error)) throw refused(streamArn, error);
      if (!waiting.reported) report(`Kinesis does not accept records (${reasonOf(error)}); retrying`);
      waiting.reported = true;
      return undefined;
    }
  };
  return {
    async write<R extends DmsRecord>(
      records: readonly R[],
      signal: AbortSignal,
      { onWritten = () => {}, instead }: WriteEvents<R> = {},
    ) {
      let left = [...records];
      let wait = FIRST_WAIT_MILLISECONDS;
      let most = MAX_RECORDS;
      const replaced = new Set<R>();
      while (left.length > 0 && !signal.aborted) {
        const batch = nextBatch(left, most);
        const results = await put(batch);
        if (results === "refused") {
          const [only] = batch;
          most = Math.ceil(batch.length / 2);
          if (!only || batch.length > 1) continue;
          if (!instead || replaced.has(only)) throw refused(streamArn, lastRefusal);
          const other = instead(only, reasonOf(lastRefusal));
          replaced.add(other);
          left = left.map((record) => (record === only ? other : record));
          continue;
        }
        // Split no further than around the record that was refused.
        most = Math.min(MAX_RECORDS, most * 2);
        const written = new Set(batch.filter((_, index) => results?.[index]?.SequenceNumber !== undefined));
        left = left.filter((record) => !written.has(record));
        if (written.size > 0) onWritten([...written], new Date());
        if (written.size === batch.length) {
          if (waiting.reported) report("Kinesis accepts records again");
          waiting.reported = false;
          wait = FIRST_WAIT_MILLISECONDS;
          continue;
        }
        // Half fixed, half random, so that several writers do not retry at the same moment.
        await delay(wait / 2 + Math.random() * (wait / 2), undefined, { signal }).catch(() => {});
        wait = Math.min(wait * 2, LONGEST_WAIT_MILLISECONDS);
      }
      return left;
    },
    close: () => client.destroy(),
  };
}

/** The first record of each key: two of a key in one call would be out of order if the first alone failed. */
function nextBatch<R extends DmsRecord>(records: readonly R[], most: number): R[] {
  const batch = new Map<string, R>();
  let bytes = 0;
  for (const record of records) {
    if (batch.size === most) break;
    if (batch.has(record.partitionKey)) continue;
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
    if (bytes > MAX_BYTES && batch.size > 0) break;
    batch.set(record.partitionKey, record);
  }
  return [...batch.values()];
}

/** The SDK speaks HTTP/2 to Kinesis, which emulators do not support; another client's handler speaks HTTP/1.1. */
function overHttp1(config: KinesisClientConfig): KinesisClientConfig {
  if (config.requestHandler) return config;
  return { ...config, requestHandler: new LambdaClient({ region: "us-east-1" }).config.requestHandler };
}

/** Throttling, an outage, or a broken connection: a retry may succeed. */
function isPassing(error: unknown): boolean {
  const { name = "", $metadata, $retryable } = error as Partial<KinesisServiceException>;
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return CONNECTION_ERRORS.includes(errorCode(error) ?? "");
  return status >= 500 || $retryable !== undefined || PASSING_ERRORS.includes(name);
}

/** Of a key or content that Kinesis does not take. Source: Amazon Kinesis API, PutRecords and common errors. */
function isAboutRecords(error: unknown): boolean {
  const { name = "", $metadata } = error as Partial<KinesisServiceException>;
  return RECORD_ERRORS.includes(name) || $metadata?.httpStatusCode === 413;
}

const RECORD_ERRORS = ["ValidationException", "InvalidArgumentException", "SerializationException"];
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
