import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { mockClient } from "aws-sdk-client-mock";
import { expect, test } from "vitest";
import { invokeByLambda, type InvokeResult } from "../../../dist/local/event-sources/invoke-function.js";

const bytes = (text: string) => new Uint8Array(Buffer.from(text)) as never;

async function invoke(outcome: object | Error): Promise<InvokeResult> {
  const lambda = new LambdaClient({ region: "us-east-1" });
  const mock = mockClient(lambda);
  if (outcome instanceof Error) mock.on(InvokeCommand).rejects(outcome);
  else mock.on(InvokeCommand).resolves(outcome);
  const result = await invokeByLambda(lambda, "relay")({ Records: [] }, new AbortController().signal);
  expect(mock.calls()[0]?.args[0].input).toMatchObject({
    FunctionName: "relay",
    Payload: '{"Records":[]}',
  });
  return result;
}

const sdkError = (name: string, httpStatusCode: number | undefined) =>
  Object.assign(new Error("why"), { name, $metadata: { httpStatusCode } });

test.each<[string, object, unknown]>([
  ["JSON", { Payload: bytes('{"batchItemFailures":[]}') }, { batchItemFailures: [] }],
  ["null", { Payload: bytes("null") }, null],
  ["no", {}, undefined],
  ["an empty", { Payload: bytes("") }, undefined],
  ["a broken", { Payload: bytes("{") }, "{"],
])("%s answer is passed on", async (_, outcome, response) => {
  expect(await invoke(outcome)).toEqual({ kind: "answered", response });
});

test("an error of the function tells its type and message", async () => {
  const Payload = bytes('{"errorType":"TypeError","errorMessage":"x is not a function"}');
  expect(await invoke({ FunctionError: "Unhandled", Payload })).toEqual({
    kind: "functionError",
    reason: "TypeError: x is not a function",
  });
  expect(await invoke({ FunctionError: "Unhandled", Payload: bytes("gone") })).toEqual({
    kind: "functionError",
    reason: "Unhandled: gone",
  });
});

test.each<[string, Error, object]>([
  ["too many requests are throttled", sdkError("TooManyRequestsException", 429), { kind: "throttled" }],
  ["a failing service is unreachable", sdkError("ServiceException", 500), { kind: "unreachable" }],
  ["a failing connection is unreachable", sdkError("ECONNREFUSED", undefined), { kind: "unreachable" }],
  [
    "a missing function is refused",
    sdkError("ResourceNotFoundException", 404),
    { kind: "refused", code: "ResourceNotFoundException" },
  ],
])("%s", async (_, error, expected) => {
  expect(await invoke(error)).toMatchObject({ ...expected, reason: `${error.name}: why` });
});
