import { pause } from "./pause";
import type { CommitOutcome, CommittedChange } from "./store";

/** Tries after the one whose answer was lost. */
const MAX_FURTHER_TRIES = 4;
const FIRST_PAUSE_MILLISECONDS = 50;
/** No further try begins later: a function ends after 30 s, and a try may wait for 10 s for the lock of the one that was lost. */
const MAX_WAIT_MILLISECONDS = 8_000;

/**
 * Commits until it is known what became of it. A commit whose answer was lost may have taken effect, or may still be at work; so it is
 * tried again under the same event ids, of which the database takes each but once: either the lost one has won, and its events are
 * found, or the new one does. What a further try tells else is asked again for as long as the lost one may be at work.
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
  const latest = Date.now() + MAX_WAIT_MILLISECONDS;
  let last: CommitOutcome = first;
  for (let tries = 1; tries <= MAX_FURTHER_TRIES && Date.now() < latest; tries += 1) {
    await pause(tries, FIRST_PAUSE_MILLISECONDS);
    // An error of this try says nothing about the lost one.
    last = await commit().catch(() => first);
    if (last.outcome === "committed") return last;
    const changes = await findCommitted().catch(() => undefined);
    if (changes) return { outcome: "committed", changes };
    if (last.outcome === "duplicate") return last;
  }
  return last;
}
