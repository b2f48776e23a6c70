import { expect, test, vi } from "vitest";
import { codedError } from "../../../dist/runtime/function/coded-error.js";
import { readMapping } from "../../../dist/local/event-sources/mapping-inputs.js";
import { createRecorder, type Observation } from "../../../dist/local/event-sources/observation.js";

const mapping = readMapping({
  eventSourceArn: "arn:aws:sqs:us-east-1:000000000000:queue",
  functionName: "project",
  functionResponseTypes: ["ReportBatchItemFailures"],
});
const denied = codedError("AccessDenied", "not allowed sqs:ReceiveMessage");

function recording() {
  const observations: Observation[] = [];
  return { recorder: createRecorder(mapping, (observation) => observations.push(observation)), observations };
}

test("a problem is reported once for as long as it lasts, and its end once for all places", () => {
  const { recorder, observations } = recording();
  recorder.problem("queue", denied);
  recorder.problem("queue", denied);
  recorder.problem("elsewhere", denied);
  expect(recorder.problems()).toHaveLength(2);
  recorder.solved("queue");
  recorder.solved("elsewhere");
  recorder.solved("elsewhere");
  expect(observations.map(({ kind }) => kind)).toEqual(["problem", "recovered"]);
  recorder.problem("queue", denied);
  expect(observations).toHaveLength(3);
});

test("another message is another problem", () => {
  const { recorder, observations } = recording();
  recorder.problem("queue", denied);
  recorder.problem("queue", "something else");
  expect(observations).toMatchObject([
    { kind: "problem", code: "AccessDenied", functionName: "project", service: "sqs" },
    { kind: "problem", code: "EVENT_SOURCE_FAILED", message: "something else" },
  ]);
});

test("without an observer problems go to stderr, and nothing else does", () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const recorder = createRecorder(mapping);
  recorder.record({ kind: "received", records: [] });
  recorder.problem("queue", denied);
  expect(write.mock.calls.map(([text]) => text)).toEqual([
    'PROBLEM: the event source "arn:aws:sqs:us-east-1:000000000000:queue" of "project": AccessDenied: not allowed sqs:ReceiveMessage\n',
  ]);
  write.mockRestore();
});
