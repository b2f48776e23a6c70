/** What a function's answer says about the records of its batch. */
export type BatchResponse =
  | { kind: "success" }
  | { kind: "failure"; reason: string }
  /** `identifiers` are sequence numbers (streams) or message ids (queues) of records in the batch. */
  | { kind: "partial"; identifiers: ReadonlySet<string> };

/**
 * Reads a partial batch response (ReportBatchItemFailures). "Lambda treats a batch as a complete success if your function returns any
 * of the following: an empty batchItemFailures list, a null batchItemFailures list, an empty EventResponse, a null EventResponse.
 * Lambda treats a batch as a complete failure if your function returns any of the following: an invalid JSON response, an empty string
 * itemIdentifier, a null itemIdentifier, an itemIdentifier with a bad key name, an itemIdentifier value with a message ID that doesn't
 * exist." Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS"; the page on Kinesis has the same list without the first
 * and the last failure, which are taken to hold there too.
 *
 * @param response the parsed answer; `undefined` for none
 * @param batch the identifiers of the records that were in the batch
 */
export function readBatchResponse(response: unknown, batch: ReadonlySet<string>): BatchResponse {
  if (response === undefined || response === null) return { kind: "success" };
  if (typeof response !== "object" || Array.isArray(response)) {
    return { kind: "failure", reason: "The answer is not an object with batchItemFailures." };
  }
  const failures = (response as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return { kind: "success" };
  if (!Array.isArray(failures)) return { kind: "failure", reason: "batchItemFailures is not a list." };
  if (failures.length === 0) return { kind: "success" };
  const identifiers = new Set<string>();
  for (const failure of failures as unknown[]) {
    const identifier =
      typeof failure === "object" && failure !== null
        ? (failure as { itemIdentifier?: unknown }).itemIdentifier
        : undefined;
    if (typeof identifier !== "string" || identifier === "") {
      return { kind: "failure", reason: "batchItemFailures has an item without an itemIdentifier." };
    }
    if (!batch.has(identifier)) {
      return {
        kind: "failure",
        reason: `batchItemFailures names "${identifier}", which is not in the batch.`,
      };
    }
    identifiers.add(identifier);
  }
  return { kind: "partial", identifiers };
}
