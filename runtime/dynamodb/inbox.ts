import { type DynamoDBDocumentClient, TransactGetCommand } from "@aws-sdk/lib-dynamodb";
import { errorCode } from "../function/coded-error";
import { pause } from "../store/retries";
import type { CommittedRequest, Once } from "../store/store";

/** A transaction that writes the record is decided soon. */
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MILLISECONDS = 10;

/**
 * What was committed under a request's id; undefined if nothing was. Read in a transaction: a plain read may still miss the record
 * of a transaction whose other items can be seen already.
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
