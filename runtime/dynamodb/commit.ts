import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { v4 as uuid } from "uuid";
import { MAX_CHANGES_PER_COMMIT, type StagedChange } from "../define/change";
import { codedError, errorCode } from "../function/coded-error";
import { checkChangedOnce } from "../store/handles";
import { pause } from "../store/retries";
import type { CommitContext, CommitOutcome, CommittedChange } from "../store/store";
import { inboxAction } from "./inbox";
import { MAX_TRANSACTION_BYTES } from "./item";
import { type DynamoChange, type DynamoTables, dynamoWrite, type DynamoWrite } from "./writes";

/** Attempts while the answer is lost, or while another transaction is writing one of the items. */
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MILLISECONDS = 10;

/**
 * Commits the changes of a command or reaction to DynamoDB: all changes and their events in one
 * TransactWriteItems, or nothing.
 *
 * @returns "conflict" when an item had changed since it was read, "duplicate" when `context.once` was
 *   committed before, "unknown" when no attempt was answered
 * @throws INVALID_KEY, INVALID_CHANGE, INVALID_STATE, EVENT_TOO_LARGE, ITEM_TOO_LARGE, TRANSACTION_TOO_LARGE,
 *   TOO_MANY_CHANGES, AGGREGATE_CHANGED_TWICE, and the SDK's own errors; nothing is written then
 */
export async function commitToDynamo(
  documents: DynamoDBDocumentClient,
  tables: DynamoTables,
  changes: StagedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  // 1. Without changes and without an inbox record there is nothing to write.
  if (changes.length === 0 && !context.once) return { outcome: "committed", changes: [] };
  // 2. Check changes and states against their contracts; make entity, event and inbox record the actions of
  //   one transaction.
  const verbs = changes.map(withoutKysely);
  checkChangedOnce(verbs);
  let transaction = transactionOf(verbs, tables, context);
  let isUnknown = false;
  for (let attempt = 1; ; attempt += 1) {
    const { input, writes, committed } = transaction;
    const isLast = attempt >= MAX_ATTEMPTS;
    try {
      // 3. DynamoDB writes everything, if no version has changed and the message was not processed before; or
      //   nothing.
      await documents.send(new TransactWriteCommand(input));
      return { outcome: "committed", changes: committed };
    } catch (error) {
      // 4. The answer was lost: send the same transaction with its token again. DynamoDB runs it only once
      //   and answers whether it did.
      if (isAnswerLost(error)) {
        if (isLast) return UNKNOWN;
        isUnknown = true;
        await pause(attempt, FIRST_PAUSE_MILLISECONDS);
        continue;
      }
      const reasons = reasonsOf(error);
      const ofWrites = reasons.slice(context.once ? 1 : 0);
      // 5. The inbox has the message, so it was processed before.
      if (context.once && failedCondition(reasons[0])) return { outcome: "duplicate" };
      // 6. The key of a creation had an earlier life: write it on top of that life's last version.
      const reborn = onEarlierLives(writes, ofWrites);
      if (!reborn) {
        // 7. A version has changed, or an aggregate to be created exists.
        if (reasons.some(failedCondition)) return conflictOf(writes, ofWrites);
        if (!isContention(reasons)) {
          if (isUnknown) return UNKNOWN;
          throw error;
        }
        // 8. Another transaction was writing the same items, and nothing was decided.
        if (isLast) return conflictOf(writes, ofWrites);
        await pause(attempt, FIRST_PAUSE_MILLISECONDS);
      }
      // The cancelled transaction was certainly not done; the next attempt is a new one.
      transaction = transactionOf(reborn ?? writes.map((write) => write.staged), tables, context);
      isUnknown = false;
    }
  }
}

interface Transaction {
  input: TransactWriteCommandInput;
  writes: DynamoWrite[];
  committed: CommittedChange[];
}

/**
 * One TransactWriteItems with a new token. The inbox record comes first, so its cancellation reason is the
 * first one too.
 */
function transactionOf(staged: DynamoChange[], tables: DynamoTables, context: CommitContext): Transaction {
  if (staged.length > MAX_CHANGES_PER_COMMIT) {
    throw codedError(
      "TOO_MANY_CHANGES",
      `${staged.length} changes do not fit into one transaction of DynamoDB; the limit is ${MAX_CHANGES_PER_COMMIT}. Split the command.`,
    );
  }
  const now = new Date();
  const writes = staged.map((change) => dynamoWrite(change, tables, context, now));
  checkTransaction(writes);
  const committed = writes.map((write) => write.committed);
  const inbox = context.once ? [inboxAction(context.once, committed, tables, now)] : [];
  const TransactItems = [...inbox, ...writes.flatMap((write) => write.actions)];
  return { input: { TransactItems, ClientRequestToken: uuid() }, writes, committed };
}

/** Refuses a transaction that exceeds DynamoDB's size limit. */
function checkTransaction(writes: DynamoWrite[]): void {
  const bytes = writes.reduce((sum, write) => sum + write.bytes, 0);
  if (bytes <= MAX_TRANSACTION_BYTES) return;
  throw codedError(
    "TRANSACTION_TOO_LARGE",
    `The changes have ${bytes} bytes with their events; a transaction of DynamoDB may have ${MAX_TRANSACTION_BYTES}. Nothing was written. Split the command.`,
  );
}

interface CancellationReason {
  Code?: string;
  Item?: Record<string, unknown>;
}

/** The reasons of a cancelled transaction, in the order of its actions; none of any other error. */
function reasonsOf(error: unknown): CancellationReason[] {
  if (errorCode(error) !== "TransactionCanceledException") return [];
  return (error as { CancellationReasons?: CancellationReason[] }).CancellationReasons ?? [];
}

function failedCondition(reason: CancellationReason | undefined): boolean {
  return reason?.Code === "ConditionalCheckFailed";
}

function isContention(reasons: CancellationReason[]): boolean {
  return reasons.some((reason) => reason.Code === "TransactionConflict");
}

/**
 * Stages creations again whose keys have a tombstone of an earlier life, on top of its last version, from
 * which the versions of the new life continue. Undefined when no creation failed for that reason.
 */
function onEarlierLives(writes: DynamoWrite[], reasons: CancellationReason[]): DynamoChange[] | undefined {
  let found = false;
  const staged = writes.map(({ staged: change }, index) => {
    const { removed, version } = existingItem(reasons[index * 2]);
    if (change.operation !== "create" || change.lastVersion || !removed || !version) return change;
    found = true;
    return { ...change, lastVersion: version };
  });
  return found ? staged : undefined;
}

/**
 * The existing item that failed a condition. The document client does not unmarshall the items in
 * cancellation reasons.
 */
function existingItem(reason: CancellationReason | undefined): { removed: boolean; version: number } {
  const { removed, version } = (reason?.Item ?? {}) as {
    removed?: { BOOL?: boolean };
    version?: { N?: string };
  };
  return { removed: removed?.BOOL === true, version: Number(version?.N ?? 0) };
}

const UNKNOWN: CommitOutcome = {
  outcome: "unknown",
  message: "DynamoDB did not answer any attempt. The changes may have been written.",
};

function conflictOf(writes: DynamoWrite[], reasons: CancellationReason[]): CommitOutcome {
  const index = reasons.findIndex((reason) => reason.Code && reason.Code !== "None");
  const lost = writes[Math.floor(index / 2)];
  // No change conflicted: other requests kept writing the same inbox record.
  const busy = "Other requests are writing the same items at the moment. Nothing was written. Try again.";
  if (!lost) return { outcome: "conflict", aggregate: writes[0]?.committed.aggregate ?? "", message: busy };
  const { aggregate, id } = lost.committed;
  const message = `${aggregate} "${id}" was changed by another request since it was read. Nothing was written. Read it again.`;
  const existing = existingItem(reasons[index]);
  const exists = lost.staged.operation === "create" && existing.version > 0 && !existing.removed;
  return { outcome: "conflict", aggregate, message, ...(exists ? { existing: id } : {}) };
}

function withoutKysely(change: StagedChange): DynamoChange {
  if (change.operation !== "kysely") return change;
  throw codedError(
    "WRONG_STORE",
    `A change of "${change.table}" was described with Kysely, which writes to PostgreSQL, but is committed to DynamoDB.`,
  );
}

/**
 * Errors of a connection to AWS, after all attempts of the SDK. Each may have come after the request was
 * received.
 */
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

/** DynamoDB's error for a token whose transaction it has received and not yet decided. */
const IN_PROGRESS = "TransactionInProgressException";

/**
 * Whether a failed call to AWS may have taken effect: there was no answer, or an inconclusive one (5xx), or
 * only the last of the SDK's attempts was answered. A cancelled transaction is conclusive for all attempts,
 * since they have the same token.
 */
export function isAnswerLost(error: unknown): boolean {
  const code = errorCode(error) ?? "";
  const { $metadata: about } = error as { $metadata?: { httpStatusCode?: number; attempts?: number } };
  if (code === "TransactionCanceledException") return false;
  if (code === IN_PROGRESS || CONNECTION_FAILURES.includes(code)) return true;
  return (about?.httpStatusCode ?? 0) >= 500 || (about?.attempts ?? 1) > 1;
}
