import type { Rejection } from "../define/command";
import { isPassing } from "./passing-error";
import { pause } from "./pause";
import type { CommitContext, CommitOutcome, StagedChange, Store } from "./store";

const FIRST_PAUSE_MILLISECONDS = 5;

/**
 * Lets a command or reaction describe its changes and commits them. When they lose a race, or the database fails in a way that passes
 * and nothing was written for certain, it runs again, on fresh reads.
 *
 * @param describe reads, and describes changes; whatever it throws, it has written nothing
 * @returns "conflict" when the last attempt lost its race too
 */
export async function commitOnFreshReads<R extends Rejection = never>(
  describe: () => Promise<StagedChange | StagedChange[] | R>,
  store: Store,
  context: CommitContext,
  maxAttempts: number,
): Promise<CommitOutcome | R> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt >= maxAttempts;
    try {
      const described = await describe();
      if (isRejection(described)) return described;
      const result = await store.commit([described].flat() as StagedChange[], context);
      if (result.outcome !== "conflict" || isLast) return result;
    } catch (error) {
      if (isLast || !isPassing(error)) throw error;
    }
    await pause(attempt, FIRST_PAUSE_MILLISECONDS);
  }
}

function isRejection<R extends Rejection>(described: StagedChange | StagedChange[] | R): described is R {
  return "kind" in described && described.kind === "rejection";
}
