import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { SourceRecord } from "./observation";

/** The function ran to its end: it answered, or it failed (it threw, timed out or ran out of memory). */
export type Attempt =
  /** The function's answer, parsed; `undefined` if it is empty. */
  { kind: "answered"; response: unknown } | { kind: "functionError"; reason: string };

/** The result of an invocation. */
export type InvokeResult =
  | Attempt
  /** Too many concurrent invocations; the function did not run. */
  | { kind: "throttled"; reason: string }
  /** No answer: the connection or the service failed. The function may have run. */
  | { kind: "unreachable"; reason: string }
  /** The call was refused, for example because the function does not exist. */
  | { kind: "refused"; code: string; reason: string };

/** Invokes the mapping's function and waits for its answer. It must not reject; `signal` ends the waiting. */
export type InvokeFunction = (
  payload: { Records: readonly SourceRecord[] },
  signal: AbortSignal,
) => Promise<InvokeResult>;

/** Invokes as the Lambda service does, which needs no permission of the function's role. */
export function invokeByLambda(lambda: LambdaClient, functionName: string): InvokeFunction {
  return async (payload, signal) => {
    try {
      const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload) });
      const { FunctionError, Payload } = await lambda.send(command, { abortSignal: signal });
      const text = Payload === undefined ? "" : Buffer.from(Payload).toString("utf8");
      if (FunctionError) return { kind: "functionError", reason: functionErrorReason(FunctionError, text) };
      return { kind: "answered", response: parseAnswer(text) };
    } catch (error) {
      return failedCall(error);
    }
  };
}

/** An answer that is not JSON stays a string, which is not a valid batch response. */
function parseAnswer(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Lambda answers with {"errorType", "errorMessage"} beside the FunctionError header. */
function functionErrorReason(functionError: string, text: string): string {
  const answer = parseAnswer(text);
  if (typeof answer !== "object" || answer === null) return `${functionError}: ${text.slice(0, 200)}`;
  const { errorType, errorMessage } = answer as { errorType?: unknown; errorMessage?: unknown };
  const type = typeof errorType === "string" ? errorType : functionError;
  return `${type}: ${typeof errorMessage === "string" ? errorMessage : text.slice(0, 200)}`;
}

function failedCall(error: unknown): InvokeResult {
  const { name, message, $metadata } = error as Partial<Error> & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const reason = `${name ?? "Error"}: ${message ?? String(error)}`;
  if (status === 429) return { kind: "throttled", reason };
  if (status === undefined || status >= 500) return { kind: "unreachable", reason };
  return { kind: "refused", code: name ?? "Error", reason };
}

/** What a function's answer says about the records of its batch. */
export type BatchResponse =
  | { kind: "success" }
  | { kind: "failure"; reason: string }
  /** `identifiers` are sequence numbers (streams) or message ids (queues) of records in the batch. */
  | { kind: "partial"; identifiers: ReadonlySet<string> };

/**
 * Reads a partial batch response (ReportBatchItemFailures). "Lambda treats a batch as a complete success if your
 * function returns any of the following: an empty batchItemFailures list, a null batchItemFailures list, an empty
 * EventResponse, a null EventResponse. Lambda treats a batch as a complete failure if your function returns any of
 * the following: an invalid JSON response, an empty string itemIdentifier, a null itemIdentifier, an itemIdentifier
 * with a bad key name, an itemIdentifier value with a message ID that doesn't exist." Source: AWS Lambda developer
 * guide, "Using Lambda with Amazon SQS". The page on Kinesis has the same list without the first and the last
 * failure; this applies them there too.
 *
 * @param attempt the answer, or the error that fails the whole batch
 * @param batch the identifiers of the records that were in the batch
 */
export function readBatchResponse(attempt: Attempt, batch: ReadonlySet<string>): BatchResponse {
  if (attempt.kind === "functionError") return failure(attempt.reason);
  const { response } = attempt;
  if (response === undefined || response === null) return { kind: "success" };
  if (typeof response !== "object" || Array.isArray(response)) {
    return failure("The answer is not an object with batchItemFailures.");
  }
  const failures = (response as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return { kind: "success" };
  if (!Array.isArray(failures)) return failure("batchItemFailures is not a list.");
  if (failures.length === 0) return { kind: "success" };
  const identifiers = new Set<string>();
  for (const item of failures as unknown[]) {
    const identifier =
      typeof item === "object" && item !== null
        ? (item as { itemIdentifier?: unknown }).itemIdentifier
        : undefined;
    if (typeof identifier !== "string" || identifier === "") {
      return failure("batchItemFailures has an item without an itemIdentifier.");
    }
    if (!batch.has(identifier)) {
      return failure(`batchItemFailures names "${identifier}", which is not in the batch.`);
    }
    identifiers.add(identifier);
  }
  return { kind: "partial", identifiers };
}

function failure(reason: string): BatchResponse {
  return { kind: "failure", reason };
}
