import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { v4 as uuid } from "uuid";
import type { StagedChange } from "../define/change";
import { codedError, errorCode } from "../function/coded-error";
import { MAX_CHANGES_PER_COMMIT } from "../store/limits";
import { pause } from "../store/retries";
import type { CommitContext, CommitOutcome, CommittedChange } from "../store/store";
import { checkChangedOnce } from "../store/verbs";
import { MAX_TRANSACTION_BYTES } from "./item";
import { isAnswerLost } from "./lost-answer";
import { type DynamoChange, type DynamoTables, dynamoWrite, type DynamoWrite, inboxAction } from "./writes";

/** Another transaction touched one of the items at the same moment: nothing was decided, so it is tried again a few times. */
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MILLISECONDS = 10;

/**
 * The way of a command's or reaction's changes into a microservice's outbox: all changes and their events are written in one
 * TransactWriteItems, or nothing.
 *
 * @returns "conflict" when an item had changed since it was read, "duplicate" when `context.once` was committed before, "unknown" when
 *   no answer came to any try
 * @throws INVALID_KEY, INVALID_CHANGE, INVALID_STATE, EVENT_TOO_LARGE, ITEM_TOO_LARGE, TRANSACTION_TOO_LARGE, TOO_MANY_CHANGES,
 *   AGGREGATE_CHANGED_TWICE, and the SDK's own errors; nothing is written then
 */
export async function commitToDynamo(
  documents: DynamoDBDocumentClient,
  tables: DynamoTables,
  changes: StagedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  // 1. A command that changes nothing and is not to be remembered needs no database.
  if (changes.length === 0 && !context.once) return { outcome: "committed", changes: [] };
  // 2. Changes and states are checked against their contracts; entity, event and inbox record become actions of one transaction.
  const verbs = changes.map(withoutKysely);
  checkChangedOnce(verbs);
  let transaction = transactionOf(verbs, tables, context);
  let isUnknown = false;
  for (let attempt = 1; ; attempt += 1) {
    const { input, writes, committed } = transaction;
    const isLast = attempt >= MAX_ATTEMPTS;
    try {
      // 3. DynamoDB writes all of it on the conditions that no version has moved and no message was processed before, or nothing.
      await documents.send(new TransactWriteCommand(input));
      return { outcome: "committed", changes: committed };
    } catch (error) {
      // 4. No answer: the same transaction again, under its token. DynamoDB runs it only once, and answers whether it did.
      if (isAnswerLost(error)) {
        if (isLast) return UNKNOWN;
        isUnknown = true;
        await pause(attempt, FIRST_PAUSE_MILLISECONDS);
        continue;
      }
      const reasons = reasonsOf(error);
      const ofWrites = reasons.slice(context.once ? 1 : 0);
      // 5. The inbox has the message: it was processed before.
      if (context.once && failedCondition(reasons[0])) return { outcome: "duplicate" };
      // 6. A creation met an earlier life of its key: it is written on top of that life's last version.
      const reborn = onEarlierLives(writes, ofWrites);
      if (!reborn) {
        // 7. A version has moved, or what was to be created exists.
        if (reasons.some(failedCondition)) return conflictOf(writes, ofWrites);
        if (!isContention(reasons)) {
          if (isUnknown) return UNKNOWN;
          throw error;
        }
        // 8. Another transaction was at the same items: nothing was decided.
        if (isLast) return conflictOf(writes, ofWrites);
        await pause(attempt, FIRST_PAUSE_MILLISECONDS);
      }
      // What was cancelled is known not to be done; the next one is another transaction.
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

/** One TransactWriteItems, with a token of its own. The inbox record comes first, so that its condition is the first reason. */
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

/** Refuses what DynamoDB refuses of a transaction as a whole. */
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
 * A creation that met what is left of a removed item is staged again on top of its last version, so that the versions of the new
 * life go on from there. Undefined when that was not what failed.
 */
function onEarlierLives(writes: DynamoWrite[], reasons: CancellationReason[]): DynamoChange[] | undefined {
  let found = false;
  const staged = writes.map(({ staged: change }, index) => {
    const { removed, version } = metItem(reasons[index * 2]);
    if (change.operation !== "create" || change.lastVersion || !removed || !version) return change;
    found = true;
    return { ...change, lastVersion: version };
  });
  return found ? staged : undefined;
}

/** What a failed condition met. The document client leaves the items in cancellation reasons as DynamoDB spells them. */
function metItem(reason: CancellationReason | undefined): { removed: boolean; version: number } {
  const { removed, version } = (reason?.Item ?? {}) as {
    removed?: { BOOL?: boolean };
    version?: { N?: string };
  };
  return { removed: removed?.BOOL === true, version: Number(version?.N ?? 0) };
}

const UNKNOWN: CommitOutcome = {
  outcome: "unknown",
  message: "DynamoDB did not answer, however often it was asked: what was sent may have been written.",
};

function conflictOf(writes: DynamoWrite[], reasons: CancellationReason[]): CommitOutcome {
  const index = reasons.findIndex((reason) => reason.Code && reason.Code !== "None");
  const lost = writes[Math.floor(index / 2)];
  // Nothing of the changes themselves: other requests kept writing the same inbox record.
  const busy = "Other requests write the same at this moment; nothing was written. Try again.";
  if (!lost) return { outcome: "conflict", aggregate: writes[0]?.committed.aggregate ?? "", message: busy };
  const { aggregate, id } = lost.committed;
  const message = `${aggregate} "${id}" was changed by somebody else since it was read; nothing was written. Read it again.`;
  const met = metItem(reasons[index]);
  const exists = lost.staged.operation === "create" && met.version > 0 && !met.removed;
  return { outcome: "conflict", aggregate, message, ...(exists ? { existing: id } : {}) };
}

function withoutKysely(change: StagedChange): DynamoChange {
  if (change.operation !== "kysely") return change;
  throw codedError(
    "WRONG_STORE",
    `A change of "${change.table}" was described with Kysely, which writes to PostgreSQL, but is committed to DynamoDB.`,
  );
}
