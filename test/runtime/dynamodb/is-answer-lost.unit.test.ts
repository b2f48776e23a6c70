import { expect, test } from "vitest";
import { isAnswerLost } from "../../../runtime/dynamodb/lost-answer";

const error = (fields: object) => Object.assign(new Error("No."), fields);
const answered = (name: string, httpStatusCode: number, attempts = 1) =>
  error({ name, $metadata: { httpStatusCode, attempts } });

test.each([
  ["the connection broke", error({ code: "ECONNRESET", $metadata: { attempts: 3 } })],
  ["the connection was refused", error({ code: "ECONNREFUSED" })],
  ["time ran out", error({ name: "TimeoutError" })],
  ["the service failed", answered("InternalServerError", 500)],
  ["the service was not there", answered("ServiceUnavailable", 503)],
  ["only the last of several tries was refused", answered("ProvisionedThroughputExceededException", 400, 3)],
  ["the same transaction is in progress", answered("TransactionInProgressException", 400)],
])("A call may have taken effect when %s", (_, lost) => {
  expect(isAnswerLost(lost)).toBe(true);
});

test.each([
  ["the service refused it", answered("AccessDeniedException", 400)],
  ["the transaction was cancelled", answered("TransactionCanceledException", 400)],
  ["the transaction was cancelled at a further try", answered("TransactionCanceledException", 400, 2)],
  ["it was throttled", answered("ProvisionedThroughputExceededException", 400)],
  [
    "there were no credentials to sign it",
    error({ name: "CredentialsProviderError", $metadata: { attempts: 1 } }),
  ],
  ["it could not be made", new TypeError("Cannot read properties of undefined")],
])("A call has taken no effect when %s", (_, refused) => {
  expect(isAnswerLost(refused)).toBe(false);
});
