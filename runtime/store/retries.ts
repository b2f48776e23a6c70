import type { Described } from "../define/change";
import type { Rejection } from "../define/rejection";
import { errorCode } from "../function/coded-error";
import { existsRejection, rejectionOf } from "./handles";
import type { CommitContext, CommitOutcome, CommittedChange, Refused, Store } from "./store";

/*
 * How the retries around a commit nest, from the outside in:
 *
 * 1. The caller resends a command with the same id when the answer was lost ("unknown"). A reaction's event
 *    comes back from its queue (5 receives), then waits in the dead-letter queue. The inbox makes either take
 *    effect once.
 * 2. `commitOnFreshReads`: the handler runs again on fresh reads when its changes lost a race, or when its
 *    connection broke, or could not do its work, before anything could have been committed. A command has 3
 *    attempts, a reaction 8.
 * 3. The store's commit retries while the outcome is unknown:
 *    - PostgreSQL (postgres/commit.ts): `untilKnown`, with the same event ids: 4 more attempts within 8 s. In
 *      each attempt, a creation whose key had an earlier life is written once more on top of that life's last
 *      version.
 *    - DynamoDB (dynamodb/commit.ts): the same transaction with the same token, or a new one where the old one
 *      was cancelled: 8 attempts.
 * 4. The AWS SDK repeats a call that did not get through: 3 attempts.
 */

/** Error code of a statement whose connection broke when it was sent to PostgreSQL, or was about to be. */
export const CONNECTION_LOST = "CONNECTION_LOST";
/**
 * SQLSTATEs of a lost race: serialization_failure, deadlock_detected. The transaction was rolled back for
 * certain.
 */
export const LOST_RACE_SQLSTATES = ["40001", "40P01"];

/**
 * SQLSTATEs that may be the fault of the connection and not of the statement, which was not run: the connection is
 * read-only after a failover, has lost its prepared statements, or has another role or search path. It is
 * replaced (postgres/connections.ts), so another attempt may succeed: read_only_sql_transaction,
 * invalid_sql_statement_name, duplicate_prepared_statement, insufficient_privilege, undefined_table,
 * undefined_function, invalid_schema_name, and the cached plan of a changed table.
 */
const SESSION_SQLSTATES = ["25006", "26000", "42P05", "42501", "42P01", "42883", "3F000", "0A000"];

const FRESH_READS_PAUSE_MILLISECONDS = 5;

/**
 * Runs a handler and commits the changes that it describes. When they lose a race, or when the database fails
 * temporarily and nothing can have been written, the handler runs again on fresh reads.
 *
 * @param describe reads, and describes changes; it writes nothing, even if it throws
 * @returns "conflict" when the last attempt lost its race too; the rejection when the handler returned one,
 *   created what exists, or a constraint of its table refused the change twice: on fresh reads, a handler that
 *   looks first may answer better
 * @throws what `describe` and the store throw, unless an attempt is left and the error is temporary
 */
export async function commitOnFreshReads(
  describe: () => Described<Rejection>,
  store: Store,
  context: CommitContext,
  maxAttempts: number,
): Promise<Exclude<CommitOutcome, Refused> | Rejection> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt >= maxAttempts;
    try {
      const described = await describe();
      if ("kind" in described && described.kind === "rejection") return described;
      const result = await store.commit([described].flat(), context);
      if (result.outcome === "refused") {
        if (attempt > 1) return result.rejection;
      } else if (result.outcome !== "conflict") return result;
      else if (isLast) return existsRejection(result) ?? result;
    } catch (error) {
      const rejection = rejectionOf(error);
      if (rejection) return rejection;
      if (isLast || !isTemporary(error)) throw error;
    }
    await pause(attempt, FRESH_READS_PAUSE_MILLISECONDS);
  }
}

/** Whether another attempt, on a new connection and on fresh reads, may succeed. */
function isTemporary(error: unknown): boolean {
  return [CONNECTION_LOST, ...LOST_RACE_SQLSTATES, ...SESSION_SQLSTATES].includes(errorCode(error) ?? "");
}

const UNKNOWN_MAX_FURTHER_ATTEMPTS = 4;
const UNKNOWN_PAUSE_MILLISECONDS = 50;
/**
 * No attempt begins later: a function times out after 30 s, and an attempt may wait 10 s for the lock of the
 * lost one.
 */
const UNKNOWN_MAX_WAIT_MILLISECONDS = 8_000;

/**
 * Commits until the outcome is known. A commit whose answer was lost may have taken effect, or may still be
 * running. So it is tried again with the same event ids, each of which the database accepts only once: either
 * the lost commit has won, and its events are found, or the new one wins. Any other outcome of a further
 * attempt is checked again while the lost one may still be running.
 *
 * @param commit one attempt; "unknown" when its answer was lost
 * @param findCommitted what was committed with the event ids, if anything
 * @returns "unknown" when the database could not be reached
 * @throws what the first attempt throws, unless its answer was lost
 */
export async function untilKnown(
  commit: () => Promise<CommitOutcome>,
  findCommitted: () => Promise<CommittedChange[] | undefined>,
): Promise<CommitOutcome> {
  const first = await commit();
  if (first.outcome !== "unknown") return first;
  const latest = Date.now() + UNKNOWN_MAX_WAIT_MILLISECONDS;
  let last: CommitOutcome = first;
  for (let attempt = 1; attempt <= UNKNOWN_MAX_FURTHER_ATTEMPTS && Date.now() < latest; attempt += 1) {
    await pause(attempt, UNKNOWN_PAUSE_MILLISECONDS);
    // An error of this attempt says nothing about the lost one.
    last = await commit().catch(() => first);
    if (last.outcome === "committed") return last;
    const changes = await findCommitted().catch(() => undefined);
    if (changes) return { outcome: "committed", changes };
    if (last.outcome === "duplicate") return last;
  }
  return last;
}

/**
 * Waits before another attempt: exponential backoff with full jitter, so that competing writers do not
 * collide again.
 *
 * @param attempt the number of the attempt that has failed, from 1
 * @param milliseconds the mean pause before the second attempt; it doubles with each further one
 */
export async function pause(attempt: number, milliseconds: number): Promise<void> {
  const ceiling = milliseconds * 2 ** attempt;
  await new Promise((resolve) => setTimeout(resolve, Math.random() * ceiling));
}
