import { readBatchResponse } from "./batch-response";

/** Records of one shard that are delivered together, in order. */
export interface StreamBatch<R> {
  readonly records: readonly R[];
  /** Failed invocations that count against maximumRetryAttempts. */
  readonly failures: number;
  /** All invocations that any of these records has been in. */
  readonly invocations: number;
}

/** What came of an invocation: an answer, or an error of the function (thrown, timed out, out of memory). */
export type Attempt = { kind: "answered"; response: unknown } | { kind: "functionError"; reason: string };

/** The parts of a mapping that decide what happens after an invocation. */
export interface StreamRules {
  reportBatchItemFailures: boolean;
  bisectBatchOnFunctionError: boolean;
  /** Infinity for no limit. */
  maximumRetryAttempts: number;
}

/** What to do with a batch after an invocation. Completed, discarded and retried records together are the batch, in its order. */
export interface StreamDecision<R> {
  /** Processed: the checkpoint moves past them. */
  completed: readonly R[];
  /** Given up after too many failures: the checkpoint moves past them too. */
  discarded: readonly R[];
  /** To be delivered again, one after the other. */
  retry: readonly StreamBatch<R>[];
  /** Why not everything was processed. */
  reason?: string;
}

/**
 * Decides what happens to a batch of a stream after it was invoked. Source: AWS Lambda developer guide, "Configuring partial batch
 * response with Kinesis Data Streams and Lambda" and "Retain discarded batch records":
 * - without ReportBatchItemFailures the answer says nothing; an error fails the whole batch;
 * - "If the batchItemFailures array contains multiple items, Lambda uses the record with the lowest sequence number as the checkpoint.
 *   Lambda then retries all records starting from that checkpoint";
 * - "If your invocation fails and BisectBatchOnFunctionError is turned on, the batch is bisected regardless of your
 *   ReportBatchItemFailures setting"; with a partial response it "is bisected at the returned sequence number, and Lambda retries only
 *   the remaining records". A split at the first record would split nothing, so the batch is halved then;
 * - "Splitting batches doesn't consume the retry quota".
 * Not documented, and decided for keeping records: progress starts the count of failures anew, since another record fails now.
 */
export function decideStreamBatch<R>(
  batch: StreamBatch<R>,
  attempt: Attempt,
  rules: StreamRules,
  identifierOf: (record: R) => string,
): StreamDecision<R> {
  const { records } = batch;
  if (attempt.kind === "functionError") return failFrom(batch, 0, attempt.reason, rules);
  if (!rules.reportBatchItemFailures) return { completed: records, discarded: [], retry: [] };
  const response = readBatchResponse(attempt.response, new Set(records.map(identifierOf)));
  if (response.kind === "success") return { completed: records, discarded: [], retry: [] };
  if (response.kind === "failure") return failFrom(batch, 0, response.reason, rules);
  // Records of a shard are in the order of their sequence numbers, so the lowest is the first.
  const lowest = records.findIndex((record) => response.identifiers.has(identifierOf(record)));
  return failFrom(
    batch,
    lowest,
    `The function reported ${response.identifiers.size} of ${records.length} records as failed.`,
    rules,
  );
}

/** Takes the records from the front that are older than the mapping allows. `arrivedAt` is in milliseconds since 1970. */
export function splitExpired<R extends { arrivedAt: number }>(
  records: readonly R[],
  now: number,
  maximumAgeMilliseconds: number,
): { expired: readonly R[]; live: readonly R[] } {
  const firstLive = records.findIndex(({ arrivedAt }) => now - arrivedAt <= maximumAgeMilliseconds);
  const index = firstLive === -1 ? records.length : firstLive;
  return { expired: records.slice(0, index), live: records.slice(index) };
}

function failFrom<R>(
  batch: StreamBatch<R>,
  index: number,
  reason: string,
  rules: StreamRules,
): StreamDecision<R> {
  const completed = batch.records.slice(0, index);
  const rest = batch.records.slice(index);
  const before = index > 0 ? 0 : batch.failures;
  const invocations = batch.invocations + 1;
  const again = (records: readonly R[], failures: number): StreamBatch<R> => ({
    records,
    failures,
    invocations,
  });
  if (rules.bisectBatchOnFunctionError && index > 0) {
    return { completed, discarded: [], retry: [again(rest, before)], reason };
  }
  if (rules.bisectBatchOnFunctionError && rest.length > 1) {
    const middle = Math.ceil(rest.length / 2);
    return {
      completed,
      discarded: [],
      retry: [again(rest.slice(0, middle), before), again(rest.slice(middle), before)],
      reason,
    };
  }
  const failures = before + 1;
  if (failures > rules.maximumRetryAttempts) return { completed, discarded: rest, retry: [], reason };
  return { completed, discarded: [], retry: [again(rest, failures)], reason };
}
