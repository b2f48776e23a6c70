import { setMaxListeners } from "node:events";
import type { ShardStatus, SourceContext, SourceLoop } from "./deliver-batch";
import { connectEmulator, type EmulatorAddress, type EmulatorConnection } from "./emulator-connection";
import type { FaultPlan } from "./fault-plan";
import { invokeByLambda, type InvokeFunction } from "./invoke-function";
import { readMapping, type EventSourceMappingInputs, type SourceService } from "./mapping-inputs";
import { createRecorder, type EventSourceCounts, type Observer, type Problem } from "./observation";
import { LOCAL_PACE, sleep, type Pace } from "./pace";
import { consumeQueue } from "./queue-source";
import { dynamoReader } from "./streams/dynamodb-reader";
import { kinesisReader } from "./streams/kinesis-reader";
import { consumeStream } from "./streams/stream-source";

/** What an event source consists of. */
export interface EventSourceOptions {
  /** As the program declares it. */
  mapping: EventSourceMappingInputs;
  emulator: EmulatorAddress;
  /** @default the emulator's Lambda */
  invoke?: InvokeFunction;
  /** @default problems go to stderr */
  observe?: Observer;
  /** @default none */
  faults?: FaultPlan;
  /** What differs from LOCAL_PACE. */
  pace?: Partial<Pace>;
}

/** The state of an event source. */
export interface EventSourceStatus {
  functionName: string;
  sourceArn: string;
  service: SourceService;
  state: "Creating" | "Enabled" | "Problem" | "Stopped";
  /** Why it does not work at present; empty unless the state is "Problem". */
  problems: readonly Problem[];
  counts: EventSourceCounts;
  /** Records that were received and are not processed. */
  inFlight: number;
  /** Streams only. */
  shards?: readonly ShardStatus[];
}

/** A running event source mapping. */
export interface EventSource {
  /** Resolves once the source is being read or has a problem. Does not reject. */
  ready: Promise<void>;
  status(): EventSourceStatus;
  /** Looks at the source now: true if nothing is in flight and nothing is left in it. */
  isIdle(): Promise<boolean>;
  /** Stops polling and lets the running invocations finish, up to the pace's limit. May be called more than once. */
  stop(): Promise<void>;
}

/** For loops to end after they no longer wait for their invocations. */
const GIVE_UP_MILLISECONDS = 1_000;

/**
 * Does what AWS Lambda's event source mapping does: reads a Kinesis stream, a table's stream or a queue with the
 * function's own role, invokes the function with batches, and keeps or repeats records as AWS documents.
 *
 * @throws EVENT_SOURCE_UNSUPPORTED for a mapping that declares what the local event sources do not support
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const mapping = readMapping(options.mapping);
  const { functionName, sourceArn, service } = mapping;
  const connection = connectEmulator(options.emulator);
  const recorder = createRecorder(mapping, options.observe);
  const stopper = new AbortController();
  const giveUp = new AbortController();
  for (const { signal } of [stopper, giveUp]) setMaxListeners(0, signal);
  const context: SourceContext = {
    mapping,
    invoke: options.invoke ?? invokeByLambda(connection.root.lambda, functionName),
    faults: options.faults ?? {},
    recorder,
    pace: { ...LOCAL_PACE, ...options.pace },
    stopped: stopper.signal,
    giveUp: giveUp.signal,
  };
  let loop: SourceLoop | undefined;
  let isReady = false;
  let stopping: Promise<void> | undefined;
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (markReady = resolve)).then(() => {
    isReady = true;
  });
  const done = run().finally(markReady);
  return {
    ready,
    isIdle: async () => (await loop?.isIdle()) ?? false,
    status: () => ({
      functionName,
      sourceArn,
      service,
      state: state(),
      problems: recorder.problems(),
      counts: recorder.counts(),
      inFlight: 0,
      ...loop?.status(),
    }),
    stop: () => (stopping ??= stop()),
  };

  async function run(): Promise<void> {
    while (!stopper.signal.aborted) {
      try {
        const roleArn = await connection.roleOf(functionName);
        recorder.solved("function");
        loop = openSource(context, connection, roleArn);
        await loop.ready;
        markReady();
        return await loop.done;
      } catch (error) {
        recorder.problem("function", error);
        markReady();
        await sleep(context.pace.problemMilliseconds, stopper.signal);
      }
    }
  }

  function state(): EventSourceStatus["state"] {
    if (stopping) return "Stopped";
    if (recorder.problems().length > 0) return "Problem";
    return isReady ? "Enabled" : "Creating";
  }

  async function stop(): Promise<void> {
    stopper.abort();
    const finished = new AbortController();
    await Promise.race([done, sleep(context.pace.stopMilliseconds, finished.signal)]);
    giveUp.abort();
    // A fault hook or an injected invocation may never end, so this does not wait for it much longer either.
    await Promise.race([done, sleep(GIVE_UP_MILLISECONDS, finished.signal)]);
    finished.abort();
    connection.close();
  }
}

/** Starts to consume a mapping's source, with the permissions of its function's role. */
function openSource(context: SourceContext, connection: EmulatorConnection, roleArn: string): SourceLoop {
  const { mapping } = context;
  const { sourceArn, functionName } = mapping;
  if (mapping.service === "sqs") {
    const asFunction = connection.queueClient(roleArn, functionName);
    return consumeQueue({ ...context, mapping }, asFunction, connection.root.sqs);
  }
  const reader =
    mapping.service === "kinesis"
      ? kinesisReader(connection.kinesisClient(roleArn, functionName), sourceArn, roleArn)
      : dynamoReader(connection.root, sourceArn, roleArn);
  return consumeStream({ ...context, mapping }, reader);
}
