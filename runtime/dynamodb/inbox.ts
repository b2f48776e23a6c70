import { type DynamoDBDocumentClient, TransactGetCommand } from "@aws-sdk/lib-dynamodb";
import { errorCode } from "../function/coded-error";
import { pause } from "../store/retries";
import type { CommittedChange, CommittedRequest, Once } from "../store/store";
import { type DynamoTables, expiry, type TransactItem } from "./writes";

/**
 * Marks a message or request as processed, on the condition that it was not before.
 *
 * @param changes the changes that are committed with it; kept for requests only
 */
export function inboxAction(
  { consumer, messageId, fingerprint }: Once,
  changes: CommittedChange[],
  tables: DynamoTables,
  now: Date,
): TransactItem {
  return {
    Put: {
      TableName: tables.inbox,
      Item: {
        consumer,
        messageId,
        ...(fingerprint === undefined ? {} : { fingerprint, changes }),
        processedAt: now.toISOString(),
        expiresAt: expiry(now, tables.inboxRetentionDays),
      },
      ConditionExpression: "attribute_not_exists(messageId)",
    },
  };
}

/** A transaction that is writing the record is decided within a few attempts. */
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MILLISECONDS = 10;

/**
 * Reads what was committed with a request's id; undefined if nothing was. It reads in a transaction, because
 * a plain read may still miss the record of a transaction whose other items are already visible.
 *
 * @throws the SDK's own errors
 */
export async function readCommittedRequest(
  documents: DynamoDBDocumentClient,
  inbox: string,
  { consumer, messageId }: Once,
): Promise<CommittedRequest | undefined> {
  const TransactItems = [{ Get: { TableName: inbox, Key: { messageId, consumer } } }];
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { Responses } = await documents.send(new TransactGetCommand({ TransactItems }));
      // As inboxAction writes it.
      const item = Responses?.[0]?.Item as Partial<CommittedRequest> | undefined;
      return item && { fingerprint: item.fingerprint ?? "", changes: item.changes ?? [] };
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || errorCode(error) !== "TransactionCanceledException") throw error;
      await pause(attempt, FIRST_PAUSE_MILLISECONDS);
    }
  }
}
