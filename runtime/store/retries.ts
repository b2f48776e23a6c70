import type { StagedChange } from "../define/change";
import type { Rejection } from "../define/command";
import { errorCode } from "../function/coded-error";
import type { CommitContext, CommitOutcome, CommittedChange, Store } from "./store";
import { existsRejection, rejectionOf } from "./verbs";

/*
 * How the retries around a commit nest, from the outside in:
 *
 * 1. The caller of a command sends it again under the same id when the answer was lost ("unknown"); a reaction's event comes back from
 *    its queue (5 receives), then waits in the dead-letter queue. The inbox makes either take effect once.
 * 2. `commitOnFreshReads`: the handler runs again on fresh reads when its changes lost a race, or its connection broke before anything
 *    could have been committed. 3 attempts of a command, 8 of a reaction.
 * 3. The store's own commit tries again while the outcome is unknown:
 *    PostgreSQL (postgres/commit.ts): `untilKnown`, under the same event ids: 4 more tries, for at most 8 s. In each try, a creation
 *    that met an earlier life of its key is tried once more on top of that life's last version.
 *    DynamoDB (dynamodb/commit.ts): the same transaction under its token, or a new one where the old was cancelled: 8 attempts.
 * 4. The AWS SDK repeats a call that did not get through: 3 attempts.
 */

/** Code of the error of a statement that was sent to PostgreSQL, or was about to be, when its connection broke. */
export const CONNECTION_LOST = "CONNECTION_LOST";
/** SQLSTATEs of a lost race: serialization_failure, deadlock_detected. The transaction was rolled back for certain. */
export const LOST_RACE_SQLSTATES = ["40001", "40P01"];

const FRESH_READS_PAUSE_MILLISECONDS = 5;

/**
 * Lets a handler describe its changes and commits them. When they lose a race, or the database fails in a way that passes and certainly
 * nothing was written, the handler runs again, on fresh reads.
 *
 * @param describe reads, and describes changes; whatever it throws, it has written nothing
 * @returns "conflict" when the last attempt lost its race too; the rejection when the handler answered one, or creates what exists
 */
export async function commitOnFreshReads(
  describe: () => Promise<StagedChange | StagedChange[] | Rejection>,
  store: Store,
  context: CommitContext,
  maxAttempts: number,
): Promise<CommitOutcome | Rejection> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt >= maxAttempts;
    try {
      const described = await describe();
      if ("kind" in described && described.kind === "rejection") return described;
      const result = await store.commit([described].flat(), context);
      if (result.outcome !== "conflict") return result;
      if (isLast) return existsRejection(result) ?? result;
    } catch (error) {
      const rejection = rejectionOf(error);
      if (rejection) return rejection;
      if (isLast || !isPassing(error)) throw error;
    }
    await pause(attempt, FRESH_READS_PAUSE_MILLISECONDS);
  }
}

/** Whether what failed may well succeed the next time, on a new connection or on fresh reads. */
function isPassing(error: unknown): boolean {
  return [CONNECTION_LOST, ...LOST_RACE_SQLSTATES].includes(errorCode(error) ?? "");
}

const UNKNOWN_MAX_FURTHER_TRIES = 4;
const UNKNOWN_PAUSE_MILLISECONDS = 50;
/** No further try begins later: a function ends after 30 s, and a try may wait 10 s for the lock of the one that was lost. */
const UNKNOWN_MAX_WAIT_MILLISECONDS = 8_000;

/**
 * Commits until the outcome is known. A commit whose answer was lost may have taken effect, or may still be running. So it is
 * tried again under the same event ids, of which the database accepts each only once: either the lost one has won, and its events are
 * found, or the new one does. Any other outcome of a further try is checked again for as long as the lost one may be running.
 *
 * @param commit one try; "unknown" when its answer was lost
 * @param findCommitted what was committed under the event ids, if anything
 * @returns "unknown" when the database could not be asked
 * @throws what the first try throws, when its answer was not lost
 */
export async function untilKnown(
  commit: () => Promise<CommitOutcome>,
  findCommitted: () => Promise<CommittedChange[] | undefined>,
): Promise<CommitOutcome> {
  const first = await commit();
  if (first.outcome !== "unknown") return first;
  const latest = Date.now() + UNKNOWN_MAX_WAIT_MILLISECONDS;
  let last: CommitOutcome = first;
  for (let tries = 1; tries <= UNKNOWN_MAX_FURTHER_TRIES && Date.now() < latest; tries += 1) {
    await pause(tries, UNKNOWN_PAUSE_MILLISECONDS);
    // An error of this try says nothing about the lost one.
    last = await commit().catch(() => first);
    if (last.outcome === "committed") return last;
    const changes = await findCommitted().catch(() => undefined);
    if (changes) return { outcome: "committed", changes };
    if (last.outcome === "duplicate") return last;
  }
  return last;
}

/**
 * Waits before another attempt: a random time, so that those that lost against each other do not come back at the same moment, and
 * longer from attempt to attempt.
 *
 * @param attempt the one that has failed, from 1
 * @param milliseconds the mean before the second attempt; it doubles with each further one
 */
export async function pause(attempt: number, milliseconds: number): Promise<void> {
  const ceiling = milliseconds * 2 ** attempt;
  await new Promise((resolve) => setTimeout(resolve, Math.random() * ceiling));
}
