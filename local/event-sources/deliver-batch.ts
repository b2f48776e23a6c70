import { randomUUID } from "node:crypto";
import type { Delivery, FaultPlan } from "./fault-plan";
import { refusedInvocation, type InvokeFunction, type InvokeResult } from "./invoke-function";
import type { Mapping } from "./mapping-inputs";
import type { SourceRecord, UndeliveredCause } from "./observation";
import type { Recorder } from "./recorder";
import type { Attempt } from "./stream-decision";

/** What delivering needs. */
export interface DeliveryContext {
  mapping: Mapping;
  invoke: InvokeFunction;
  faults: FaultPlan;
  recorder: Recorder;
  /** Aborted when waiting for an invocation is given up. */
  giveUp: AbortSignal;
}

/** What came of a delivery. */
export type Delivered = { deliveryId: string; milliseconds: number } & (
  | Attempt
  /** No answer: to be delivered again, without counting an attempt. */
  | { kind: "undelivered"; cause: UndeliveredCause }
  /** The poller is to die. */
  | { kind: "killed" }
);

/** Invokes the function with a batch once, with the faults of the plan. */
export async function deliverBatch(
  context: DeliveryContext,
  records: readonly SourceRecord[],
  attempt: number,
  shardId?: string,
): Promise<Delivered> {
  const { mapping, recorder, faults } = context;
  const deliveryId = randomUUID();
  const delivery: Delivery = {
    id: deliveryId,
    functionName: mapping.functionName,
    sourceArn: mapping.sourceArn,
    attempt,
    records,
    ...(shardId === undefined ? {} : { shardId }),
  };
  const startedAt = Date.now();
  const undelivered = (cause: UndeliveredCause, reason: string): Delivered => {
    recorder.record({ kind: "undelivered", deliveryId, cause, reason, records }, shardId);
    return { kind: "undelivered", cause, deliveryId, milliseconds: Date.now() - startedAt };
  };
  const killed = (): Delivered => ({ kind: "killed", deliveryId, milliseconds: Date.now() - startedAt });

  const before = await faults.beforeInvoke?.(delivery);
  if (before === "lose") return undelivered("lost", "A fault was injected: the invocation was lost.");
  if (before === "kill") return killed();
  let result = await invokeOnce();
  if (before === "twice") result = await invokeOnce();
  const after = await faults.afterInvoke?.(delivery, result);
  if (after === "lose") return undelivered("lost", "A fault was injected: the function's answer was lost.");
  if (after === "kill") return killed();
  result = after ?? result;

  const place = "invoke";
  if (result.kind === "refused") recorder.problem(place, refusedInvocation(mapping.functionName, result));
  else recorder.solved(place);
  if (result.kind === "answered" || result.kind === "functionError") {
    return { ...result, deliveryId, milliseconds: Date.now() - startedAt };
  }
  return undelivered(result.kind, result.reason);

  function invokeOnce(): Promise<InvokeResult> {
    recorder.record({ kind: "invoked", deliveryId, attempt, records }, shardId);
    return context.invoke({ Records: records }, context.giveUp);
  }
}
