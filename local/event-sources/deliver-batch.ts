import { codedError } from "../../runtime/function/coded-error";
import type { Delivery, FaultPlan } from "./fault-plan";
import type { Attempt, InvokeFunction, InvokeResult } from "./invoke-function";
import type { Mapping } from "./mapping-inputs";
import type { Recorder, SourceRecord, UndeliveredCause } from "./observation";
import type { Pace } from "./pace";

/** What processing the records of a mapping needs, whatever its source. */
export interface SourceContext<M extends Mapping = Mapping> {
  mapping: M;
  invoke: InvokeFunction;
  faults: FaultPlan;
  recorder: Recorder;
  pace: Pace;
  /** Aborted when the mapping is stopped. */
  stopped: AbortSignal;
  /** Aborted when the mapping no longer waits for running invocations. */
  giveUp: AbortSignal;
}

/** A running mapping, whatever its source. */
export interface SourceLoop {
  /** Resolves once the source is being read or has a problem. */
  ready: Promise<void>;
  /** Resolves once everything has ended after a stop. */
  done: Promise<void>;
  /** Looks at the source now: true if everything in it is processed. */
  isIdle(): Promise<boolean>;
  status(): {
    /** Records that were received and are not processed. */
    inFlight: number;
    shards?: readonly ShardStatus[];
  };
}

/** The state of a shard. */
export interface ShardStatus {
  shardId: string;
  /** Everything up to here is processed. */
  checkpoint?: string;
  /** Records that were read and are not processed. */
  outstanding: number;
}

/** The result of a delivery. */
export type Delivered =
  | Attempt
  /** No answer: deliver again, without counting an attempt. */
  | { kind: "undelivered"; cause: UndeliveredCause }
  /** A fault kills the poller. */
  | { kind: "killed" };

/** Invokes the function with a batch once, with the faults of the plan. */
export async function deliverBatch(
  context: SourceContext,
  records: readonly SourceRecord[],
  attempt: number,
  shardId?: string,
): Promise<Delivered> {
  const { mapping, recorder, faults } = context;
  const { functionName, sourceArn } = mapping;
  const shard = shardId === undefined ? {} : { shardId };
  const delivery: Delivery = { functionName, sourceArn, attempt, records, ...shard };

  const before = await faults.beforeInvoke?.(delivery);
  if (before === "lose") return undelivered("lost", "A fault was injected: the invocation was lost.");
  if (before === "kill") return { kind: "killed" };
  let result = await invokeOnce();
  if (before === "twice") result = await invokeOnce();
  const after = await faults.afterInvoke?.(delivery, result);
  if (after === "lose") return undelivered("lost", "A fault was injected: the function's answer was lost.");
  if (after === "kill") return { kind: "killed" };
  result = after ?? result;

  if (result.kind === "refused") {
    const message = `The function "${functionName}" could not be invoked. ${result.reason}`;
    recorder.problem("invoke", codedError(result.code, message));
  } else {
    recorder.solved("invoke");
  }
  if (result.kind === "answered" || result.kind === "functionError") return result;
  return undelivered(result.kind, result.reason);

  function invokeOnce(): Promise<InvokeResult> {
    recorder.record({ kind: "invoked", attempt, records }, shardId);
    return context.invoke({ Records: records }, context.giveUp);
  }

  function undelivered(cause: UndeliveredCause, reason: string): Delivered {
    recorder.record({ kind: "undelivered", cause, reason, records }, shardId);
    return { kind: "undelivered", cause };
  }
}
