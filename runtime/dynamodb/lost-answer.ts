import { errorCode } from "../function/coded-error";

/** What a connection fails with on its way to AWS or back, after all tries of the SDK. Any of these may have been after it was heard. */
const CONNECTION_FAILURES = [
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "TimeoutError",
];

/** DynamoDB's word for a request that it has under the same token already, and has not decided. */
const IN_PROGRESS = "TransactionInProgressException";

/**
 * Whether a call to AWS that failed may have taken effect all the same: no answer came, or one that does not tell (5xx), or only the
 * last of the SDK's tries was answered. A cancelled transaction tells for all of them, since they bear one token.
 */
export function isAnswerLost(error: unknown): boolean {
  const code = errorCode(error) ?? "";
  const { $metadata: about } = error as { $metadata?: { httpStatusCode?: number; attempts?: number } };
  if (code === "TransactionCanceledException") return false;
  if (code === IN_PROGRESS || CONNECTION_FAILURES.includes(code)) return true;
  return (about?.httpStatusCode ?? 0) >= 500 || (about?.attempts ?? 1) > 1;
}
