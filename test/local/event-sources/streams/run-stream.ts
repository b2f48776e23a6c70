import { onTestFinished, vi } from "vitest";
import type { FaultPlan } from "../../../../dist/local/event-sources/fault-plan.js";
import type { InvokeResult } from "../../../../dist/local/event-sources/invoke-function.js";
import {
  readMapping,
  type EventSourceMappingInputs,
  type StreamMapping,
} from "../../../../dist/local/event-sources/mapping-inputs.js";
import { createRecorder, type Observation } from "../../../../dist/local/event-sources/observation.js";
import { LOCAL_PACE, type Pace } from "../../../../dist/local/event-sources/pace.js";
import { consumeStream } from "../../../../dist/local/event-sources/streams/stream-source.js";
import { nameOf, type FakeStream } from "./fake-stream.js";

/** Names of records, e.g. a1, a2, a3. */
export function names(key: string, count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, index) => `${key}${index + from}`);
}

/** Gives the value at the first call and nothing afterwards. */
export function once<T>(value: T): () => T | undefined {
  let isUsed = false;
  return () => {
    if (isUsed) return undefined;
    isUsed = true;
    return value;
  };
}

/** A function: gets the names of a batch's records and returns those that failed, throws, or answers with a whole result. */
export type FakeFunction = (names: string[]) => string[] | InvokeResult | Promise<string[] | InvokeResult>;

const PACE: Pace = {
  ...LOCAL_PACE,
  idleMilliseconds: 1,
  problemMilliseconds: 1,
  firstRetryMilliseconds: 1,
  maximumRetryMilliseconds: 2,
  shardScanMilliseconds: 2,
};

/** Consumes a stream in memory with a function in memory, until the test is over. */
export function runStream(
  reader: FakeStream,
  fake: FakeFunction,
  inputs: Partial<EventSourceMappingInputs> = {},
  { faults = {}, pace = {} }: { faults?: FaultPlan; pace?: Partial<Pace> } = {},
) {
  const mapping = readMapping({
    eventSourceArn: "arn:aws:kinesis:us-east-1:000000000000:stream/fake",
    functionName: "fake",
    startingPosition: "TRIM_HORIZON",
    functionResponseTypes: ["ReportBatchItemFailures"],
    bisectBatchOnFunctionError: true,
    ...inputs,
  }) as StreamMapping;
  const observations: Observation[] = [];
  const batches: string[][] = [];
  const stopper = new AbortController();
  const recorder = createRecorder(mapping, (observation) => observations.push(observation));
  const invoke = async ({ Records }: { Records: readonly object[] }): Promise<InvokeResult> => {
    const names = Records.map(nameOf);
    batches.push(names);
    try {
      const answer = await fake(names);
      if (!Array.isArray(answer)) return answer;
      const identifiers = Records.filter((record) => answer.includes(nameOf(record)));
      const batchItemFailures = identifiers.map((record) => ({
        itemIdentifier: (record as { kinesis: { sequenceNumber: string } }).kinesis.sequenceNumber,
      }));
      return { kind: "answered", response: { batchItemFailures } };
    } catch (error) {
      return { kind: "functionError", reason: String(error) };
    }
  };
  const source = consumeStream(
    {
      mapping,
      invoke,
      faults,
      recorder,
      pace: { ...PACE, ...pace },
      stopped: stopper.signal,
      giveUp: new AbortController().signal,
    },
    reader,
  );
  const stop = async (): Promise<void> => {
    stopper.abort();
    await source.done;
  };
  onTestFinished(stop);
  return {
    source,
    stop,
    recorder,
    observations,
    /** Names of the records of each invocation. */
    batches,
    /** Names of the records that were processed, in the order in which that happened. */
    succeeded: () =>
      observations.flatMap((observation) =>
        observation.kind === "succeeded" ? observation.records.map((record) => nameOf(record as object)) : [],
      ),
    /** Sequence numbers of the checkpoints, in order. */
    checkpoints: () =>
      observations.flatMap((seen) => (seen.kind === "checkpointed" ? [seen.sequenceNumber] : [])),
    drained: () => vi.waitUntil(() => source.isIdle(), { timeout: 10_000, interval: 5 }),
  };
}
