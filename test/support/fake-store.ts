import type { CommitContext, CommitOutcome, StagedChange, Store } from "../../runtime/staged-change";

/** A store that writes nothing and answers commits with what the test has prepared. */
export interface FakeStore extends Store {
  commits: { changes: StagedChange[]; context: CommitContext }[];
}

/**
 * Makes a store whose commits are answered in this order; then every commit succeeds.
 *
 * @param answers an error is thrown
 */
export function fakeStore(answers: (CommitOutcome | Error)[] = []): FakeStore {
  const waiting = [...answers];
  const commits: FakeStore["commits"] = [];
  return {
    commits,
    handles: (uses) => ({ ...uses }),
    async commit(changes, context) {
      commits.push({ changes, context });
      const answer = waiting.shift() ?? { outcome: "committed", changes: [] };
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

/** A lost race. */
export const CONFLICT: CommitOutcome = {
  outcome: "conflict",
  aggregate: "bank.Account",
  message: "The bank.Account was changed by somebody else.",
};
