import { setMaxListeners } from "node:events";
import { codedError } from "../../runtime/function/coded-error";
import type { DeliveryContext } from "./deliver-batch";
import { connectEmulator, type EmulatorAddress } from "./emulator-connection";
import type { FaultPlan } from "./fault-plan";
import { invokeByLambda, type InvokeFunction } from "./invoke-function";
import { readMapping, type EventSourceMappingInputs } from "./mapping-inputs";
import type { Observer } from "./observation";
import { openSource } from "./open-source";
import { LOCAL_PACE, type Pace } from "./pace";
import { sleep } from "./pulse";
import { createRecorder, type EventSourceCounts, type Problem } from "./recorder";
import type { ShardStatus } from "./shard-consumer";
import type { SourceService } from "./source-arn";
import type { SourceLoop } from "./source-loop";

/** What an event source is made of. */
export interface EventSourceOptions {
  /** As the program declares it. */
  mapping: EventSourceMappingInputs;
  emulator: EmulatorAddress;
  /** Default: the emulator's Lambda. */
  invoke?: InvokeFunction;
  /** Default: problems go to stderr. */
  observe?: Observer;
  /** Default: none. */
  faults?: FaultPlan;
  /** What differs from LOCAL_PACE. */
  pace?: Partial<Pace>;
}

/** How an event source stands. */
export interface EventSourceStatus {
  functionName: string;
  sourceArn: string;
  service: SourceService;
  state: "Creating" | "Enabled" | "Disabled" | "Problem" | "Stopped";
  /** Why it does not work at present; empty unless the state is "Problem". */
  problems: readonly Problem[];
  counts: EventSourceCounts;
  /** Records that were received and are neither processed nor given up. */
  inFlight: number;
  /** How long the oldest record has waited, as far as known. */
  lagMilliseconds: number;
  /** Streams only. */
  shards?: readonly ShardStatus[];
}

/** A running event source mapping. */
export interface EventSource {
  /** Resolves once the source is being read (with LATEST: from here on), or cannot be for now. Does not reject. */
  ready: Promise<void>;
  status(): EventSourceStatus;
  /** Looks at the source now: true if nothing is in flight and nothing is left in it. */
  isIdle(): Promise<boolean>;
  /** Resolves when `isIdle`; rejects with EVENT_SOURCE_NOT_DRAINED after the time-out (default 60 s). */
  waitUntilDrained(options?: { timeoutMilliseconds?: number }): Promise<void>;
  /** Stops polling and lets the running invocations finish, up to the pace's limit. May be called more than once. */
  stop(): Promise<void>;
}

const DEFAULT_DRAIN_MILLISECONDS = 60_000;
/** For loops to end after their invocations were given up. */
const GIVE_UP_MILLISECONDS = 1_000;

/**
 * Does what AWS Lambda's event source mapping does: reads a Kinesis stream, a table's stream or a queue with the function's own role,
 * invokes the function with batches, and keeps, repeats or gives up records as AWS documents.
 *
 * @throws EVENT_SOURCE_INVALID, EVENT_SOURCE_UNSUPPORTED, FILTER_INVALID, FILTER_UNSUPPORTED for a mapping that is refused
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const mapping = readMapping(options.mapping);
  const pace: Pace = { ...LOCAL_PACE, ...options.pace };
  const { functionName, qualifier, sourceArn, service } = mapping;
  const recorder = createRecorder(mapping, options.observe);
  const connection = connectEmulator(options.emulator);
  const stopper = new AbortController();
  const giveUp = new AbortController();
  for (const { signal } of [stopper, giveUp]) setMaxListeners(0, signal);
  const invoke = options.invoke ?? invokeByLambda(connection.root.lambda, functionName, qualifier);
  const delivery: DeliveryContext = {
    mapping,
    invoke,
    faults: options.faults ?? {},
    recorder,
    giveUp: giveUp.signal,
  };
  let loop: SourceLoop | undefined;
  let isReady = false;
  let stopping: Promise<void> | undefined;
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (markReady = resolve)).then(() => {
    isReady = true;
  });
  const done = (mapping.enabled ? run() : Promise.resolve()).finally(markReady);

  const isIdle = async (): Promise<boolean> => !mapping.enabled || ((await loop?.isIdle()) ?? false);
  const status = (): EventSourceStatus => {
    const problems = recorder.problems();
    const standing = loop?.status() ?? { inFlight: 0, lagMilliseconds: 0 };
    return {
      functionName,
      sourceArn,
      service,
      state: state(problems),
      problems,
      counts: recorder.counts(),
      ...standing,
    };
  };
  return { ready, status, isIdle, waitUntilDrained, stop: () => (stopping ??= stop()) };

  async function run(): Promise<void> {
    while (!stopper.signal.aborted) {
      try {
        const fn = await connection.findFunction(functionName, qualifier);
        recorder.solved("function");
        loop = openSource(mapping, fn, { connection, delivery, pace, stopped: stopper.signal });
        await loop.ready;
        markReady();
        return await loop.done;
      } catch (error) {
        recorder.problem("function", error);
        markReady();
        await sleep(pace.problemMilliseconds, stopper.signal);
      }
    }
  }

  function state(problems: readonly Problem[]): EventSourceStatus["state"] {
    if (stopping) return "Stopped";
    if (!mapping.enabled) return "Disabled";
    if (problems.length > 0) return "Problem";
    return isReady ? "Enabled" : "Creating";
  }

  async function waitUntilDrained({ timeoutMilliseconds = DEFAULT_DRAIN_MILLISECONDS } = {}): Promise<void> {
    const deadline = Date.now() + timeoutMilliseconds;
    while (!(await isIdle())) {
      if (Date.now() >= deadline || stopper.signal.aborted) throw notDrained(status(), timeoutMilliseconds);
      await sleep(pace.idleMilliseconds, stopper.signal);
    }
  }

  async function stop(): Promise<void> {
    stopper.abort();
    const finished = new AbortController();
    await Promise.race([done, sleep(pace.stopMilliseconds, finished.signal)]);
    giveUp.abort();
    // A fault hook or an injected invocation may not end at all, so even the end is not waited for much longer.
    await Promise.race([done, sleep(GIVE_UP_MILLISECONDS, finished.signal)]);
    finished.abort();
    connection.close();
  }
}

function notDrained(
  { functionName, sourceArn, state, inFlight, problems }: EventSourceStatus,
  milliseconds: number,
) {
  const problem = problems[0] ? ` ${problems[0].code}: ${problems[0].message}` : "";
  return codedError(
    "EVENT_SOURCE_NOT_DRAINED",
    `The event source "${sourceArn}" of "${functionName}" was not empty after ${milliseconds} ms (state ${state}, ${inFlight} records in flight).${problem}`,
  );
}
