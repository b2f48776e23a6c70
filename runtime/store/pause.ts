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
