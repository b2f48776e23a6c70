import { readBatchResponse } from "./batch-response";
import type { Attempt } from "./stream-decision";

/** What to do with the messages of a batch after an invocation. */
export interface QueueDecision {
  /** Message ids to delete. */
  deleted: ReadonlySet<string>;
  /** Message ids that stay in the queue and are visible again after its visibility timeout. */
  kept: ReadonlySet<string>;
  /** Why some are kept. */
  reason?: string;
}

/**
 * Decides what happens to a batch of a queue after it was invoked: on success all messages are deleted, on an error none, and with
 * ReportBatchItemFailures "only the failed messages" become visible again; a malformed response fails the whole batch. Source: AWS
 * Lambda developer guide, "Handling errors for an SQS event source in Lambda".
 */
export function decideQueueBatch(
  messageIds: ReadonlySet<string>,
  attempt: Attempt,
  reportBatchItemFailures: boolean,
): QueueDecision {
  const none: ReadonlySet<string> = new Set();
  if (attempt.kind === "functionError") return { deleted: none, kept: messageIds, reason: attempt.reason };
  if (!reportBatchItemFailures) return { deleted: messageIds, kept: none };
  const response = readBatchResponse(attempt.response, messageIds);
  if (response.kind === "success") return { deleted: messageIds, kept: none };
  if (response.kind === "failure") return { deleted: none, kept: messageIds, reason: response.reason };
  return {
    deleted: new Set([...messageIds].filter((id) => !response.identifiers.has(id))),
    kept: response.identifiers,
    reason: `The function reported ${response.identifiers.size} of ${messageIds.size} messages as failed.`,
  };
}
