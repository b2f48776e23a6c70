import type { SQSRecord } from "aws-lambda";
import type { InvokeResult } from "./invoke-function";
import type { SourceRecord } from "./observation";

/** A batch on its way to the function. */
export interface Delivery {
  functionName: string;
  sourceArn: string;
  /** Streams only. */
  shardId?: string;
  /** Counts from 1; a retry of the same batch has the next number. */
  attempt: number;
  records: readonly SourceRecord[];
}

/**
 * What may go wrong before the function runs:
 * - "lose": the invocation never reaches the function; the batch is delivered again and no attempt is counted;
 * - "twice": the function receives the batch twice, one after the other, and the second answer counts;
 * - "kill": the poller dies; everything since the checkpoint (stream) or in flight (queue) is delivered again.
 */
export type FaultBefore = "lose" | "twice" | "kill";

/**
 * What may go wrong after it ran:
 * - "lose": its answer is lost; the batch is delivered again although its work is done, and no attempt is counted;
 * - "kill": as above, with the work done;
 * - a result: replaces the answer.
 */
export type FaultAfter = "lose" | "kill" | InvokeResult;

/**
 * Faults to inject. Every hook is optional and may wait, which delays the delivery; `undefined` injects nothing. A
 * hook must not reject. To kill the function's process, start that in `beforeInvoke` without waiting for it.
 */
export interface FaultPlan {
  /**
   * Queues only: the messages to deliver instead of those received: in another order, fewer (those left out become
   * visible again at once), or some of them more than once.
   */
  arrange?: (records: readonly SQSRecord[]) => Promise<readonly SQSRecord[]>;
  /** Queues only: runs before messages are received. @returns what replaces the queue's own visibility timeout */
  beforeReceive?: () => Promise<{ visibilityTimeoutSeconds: number }>;
  beforeInvoke?: (delivery: Delivery) => Promise<FaultBefore | undefined>;
  afterInvoke?: (delivery: Delivery, result: InvokeResult) => Promise<FaultAfter | undefined>;
}
