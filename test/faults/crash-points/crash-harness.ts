import { ChangeMessageVisibilityBatchCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { codedError } from "../../../runtime/function/coded-error";
import type { FaultPlan } from "../../../local/event-sources/fault-plan";
import { findQueue } from "../../../local/event-sources/queue-client";
import { logicalName } from "../proxies/caller";
import { type FunctionProxies, openFunctionProxies } from "../proxies/function-proxies";
import type { Harness } from "../harness";
import type { CrashPoints } from "./crash-points";
import { sideEffectOfCall, sideEffectOfStatement } from "./side-effects";

const CAPTURE = "capture";
const PUT_RECORDS = "its records are put on the stream";
/** For a message that could not be released; far longer than an invocation takes. */
const VISIBILITY_TIMEOUT_SECONDS = 10;
/** Soon after a server is up again. */
const PROBLEM_MILLISECONDS = 300;

/**
 * Opens a harness that kills the process of each step at its crash points. Capture is a part of this process: it is ended by an error
 * instead, and another one begins where the slot is.
 *
 * @param stepOf the step that a function runs at present, by the function's logical name
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
  const crash = () => Promise.reject(codedError("FAULT_INJECTED", "Capture was crashed on purpose."));
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
        // So that it is known to which invocation a call belongs.
        maximumConcurrency: 1,
        problemMilliseconds: PROBLEM_MILLISECONDS,
        visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      },
    },
    stop: () => proxies.stop(),
  };

  function deliveries(functionName: string): FaultPlan {
    return {
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

  /** What a killed function had in hand would come again after the visibility timeout. */
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
