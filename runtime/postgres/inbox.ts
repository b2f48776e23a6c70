import { type Kysely, type Transaction } from "kysely";
import type { CommittedChange, CommittedRequest, Once } from "../store/store";
import type { AnyDatabase } from "./statement";

/** Marks a message or request as processed; repeating that violates the inbox's primary key. */
export async function insertInboxRecord(
  transaction: Transaction<AnyDatabase>,
  { consumer, messageId, fingerprint }: Once,
  changes: CommittedChange[],
): Promise<void> {
  const request = fingerprint === undefined ? {} : { fingerprint, changes: JSON.stringify(changes) };
  await transaction
    .insertInto("inbox")
    .values({ consumer, message_id: messageId, ...request })
    .execute();
}

/** Whether a message or request was processed. */
export async function isProcessed(db: Kysely<AnyDatabase>, once: Once): Promise<boolean> {
  return (await recordOf(db, once)) !== undefined;
}

/** Reads what was committed with a request's id; undefined if nothing was. */
export async function readCommittedRequest(
  db: Kysely<AnyDatabase>,
  once: Once,
): Promise<CommittedRequest | undefined> {
  const record = await recordOf(db, once);
  return record && { fingerprint: record.fingerprint ?? "", changes: record.changes ?? [] };
}

async function recordOf(db: Kysely<AnyDatabase>, { consumer, messageId }: Once) {
  const query = db.selectFrom("inbox").select(["fingerprint", "changes"]);
  const found = query.where("consumer", "=", consumer).where("message_id", "=", messageId);
  // As framework migration 0002 declares them; both are null for an event.
  return (await found.executeTakeFirst()) as
    { fingerprint: string | null; changes: CommittedChange[] | null } | undefined;
}
