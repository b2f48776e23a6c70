import { ChangeMessageVisibilityBatchCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import type { FaultPlan } from "../../../local/event-sources/fault-plan";
import { findQueue } from "../../../local/event-sources/queue-client";
import { codedError } from "../../../runtime/function/coded-error";
import type { Harness } from "../harness";
import { logicalName } from "../proxies/caller";
import { type FunctionProxies, openFunctionProxies } from "../proxies/function-proxies";
import type { CrashPoints } from "./crash-points";
import { sideEffectOfCall, sideEffectOfStatement } from "./side-effects";

const CAPTURE = "capture";
const PUT_RECORDS = "its records are put on the stream";
/** Applies to a message that could not be released; far longer than an invocation takes. */
const VISIBILITY_TIMEOUT_SECONDS = 10;
/** Short, so that event sources continue soon after a server is up again. */
const PROBLEM_MILLISECONDS = 300;

/**
 * Opens a harness that kills the process of each step at its crash points. Capture runs in this process, so
 * an error ends it instead, and a new capture continues from the slot.
 *
 * @param stepOf the step that a function is running, by the function's logical name
 */
export async function openCrashHarness(
  points: CrashPoints,
  stepOf: (functionName: string) => string,
): Promise<Harness> {
  const kill = (functionName: string, sideEffect: string) => {
    const when = points.reaches(stepOf(functionName), sideEffect);
    return Promise.resolve(when && { do: `kill ${when}` as const });
  };
  const proxies: FunctionProxies = await openFunctionProxies({
    seed: 0,
    decideCall: (call) => kill(logicalName(call.caller), sideEffectOfCall(call)),
    decideStatement: (caller, text) => kill(logicalName(caller), sideEffectOfStatement(text)),
  });
  let crashesAfterPut = false;
  const crash = () => Promise.reject(codedError("FAULT_INJECTED", "Fault injection crashed capture."));
  return {
    hooks: {
      ...proxies.hooks,
      deliveryFaults: (functionName) => deliveries(functionName),
      beforePut() {
        points.begins(CAPTURE);
        const when = points.reaches(CAPTURE, PUT_RECORDS);
        crashesAfterPut = when === "after";
        return when === "before" ? crash() : Promise.resolve();
      },
      beforeAcknowledge: () => (crashesAfterPut ? crash() : Promise.resolve()),
      pace: {
        // One invocation at a time, so that each call belongs to a known invocation.
        maximumConcurrency: 1,
        problemMilliseconds: PROBLEM_MILLISECONDS,
      },
    },
    stop: () => proxies.stop(),
  };

  function deliveries(functionName: string): FaultPlan {
    return {
      beforeReceive: () => Promise.resolve({ visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS }),
      beforeInvoke() {
        points.begins(functionName);
        return Promise.resolve(undefined);
      },
      async afterInvoke({ sourceArn, records }, { kind }) {
        if (kind === "functionError" && records.every(isMessage))
          await release(sourceArn, records).catch(() => undefined);
        return undefined;
      },
    };
  }

  /**
   * Releases the messages of a killed function, which would otherwise stay hidden for the visibility timeout.
   */
  async function release(queueArn: string, records: readonly SQSRecord[]): Promise<void> {
    const { sqs } = proxies.clients();
    const Entries = records.map(({ receiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: 0,
    }));
    await sqs.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl: await findQueue(sqs, queueArn), Entries }),
    );
  }
}

function isMessage(record: object): record is SQSRecord {
  return "receiptHandle" in record;
}
