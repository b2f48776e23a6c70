import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { codedError } from "../../runtime/function/coded-error";
import type { SourceRecord } from "./observation";

/** What a function is invoked with. */
export interface EventPayload {
  Records: readonly SourceRecord[];
}

/** What came back from an invocation. */
export type InvokeResult =
  /** The function's answer, parsed; `undefined` if it is empty. */
  | { kind: "answered"; response: unknown }
  /** The function threw, timed out or ran out of memory. */
  | { kind: "functionError"; reason: string }
  /** Too many invocations at once; the function did not run. */
  | { kind: "throttled"; reason: string }
  /** No answer: the connection or the service failed. The function may have run. */
  | { kind: "unreachable"; reason: string }
  /** The call was refused, e.g. since there is no such function. */
  | { kind: "refused"; code: string; reason: string };

/** Invokes the mapping's function and waits for its answer. It must not reject; `signal` asks to stop waiting. */
export type InvokeFunction = (payload: EventPayload, signal: AbortSignal) => Promise<InvokeResult>;

/** Invokes as the Lambda service does, which needs no permission of the function's role. */
export function invokeByLambda(
  lambda: LambdaClient,
  functionName: string,
  qualifier?: string,
): InvokeFunction {
  return async (payload, signal) => {
    try {
      const command = new InvokeCommand({
        FunctionName: functionName,
        Qualifier: qualifier,
        Payload: JSON.stringify(payload),
      });
      const { FunctionError, Payload } = await lambda.send(command, { abortSignal: signal });
      const text = Payload === undefined ? "" : Buffer.from(Payload).toString("utf8");
      if (FunctionError) return { kind: "functionError", reason: functionErrorReason(FunctionError, text) };
      return { kind: "answered", response: parseAnswer(text) };
    } catch (error) {
      return failedCall(error);
    }
  };
}

/** An answer that is no JSON stays a text, which no batch response is. */
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
  return `${typeof errorType === "string" ? errorType : functionError}: ${typeof errorMessage === "string" ? errorMessage : text.slice(0, 200)}`;
}

function failedCall(error: unknown): InvokeResult {
  const { name, message, $metadata } = error as Partial<Error> & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const reason = `${name ?? "Error"}: ${message ?? String(error)}`;
  if (status === 429) return { kind: "throttled", reason };
  if (status === undefined || status >= 500) return { kind: "unreachable", reason };
  return { kind: "refused", code: name ?? "Error", reason };
}

/** The error of an invocation that was refused. */
export function refusedInvocation(functionName: string, result: { code: string; reason: string }) {
  return codedError(result.code, `The function "${functionName}" could not be invoked. ${result.reason}`);
}
