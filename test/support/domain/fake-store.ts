import type { StagedChange } from "../../../runtime/define/change";
import type {
  CommitContext,
  CommitOutcome,
  CommittedRequest,
  Conflict,
  Once,
  Store,
  StoreOpener,
} from "../../../runtime/store/store";

/** A store that writes nothing and answers commits with prepared answers. */
export interface FakeStore extends Store {
  commits: { changes: StagedChange[]; context: CommitContext }[];
  /** The requests that were looked up in the inbox. */
  asked: Once[];
}

/**
 * Makes a store whose commits are answered in this order; then every commit succeeds.
 *
 * @param answers an error is thrown
 * @param committed the inbox's answer for every request; an error is thrown
 */
export function fakeStore(
  answers: (CommitOutcome | Error)[] = [],
  committed?: CommittedRequest | Error,
): FakeStore {
  const waiting = [...answers];
  const commits: FakeStore["commits"] = [];
  const asked: Once[] = [];
  return {
    commits,
    asked,
    handles: (uses) => ({ ...uses }),
    async commit(changes, context) {
      commits.push({ changes, context });
      const answer = waiting.shift() ?? { outcome: "committed", changes: [] };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async committedRequest(once) {
      asked.push(once);
      if (committed instanceof Error) throw committed;
      return committed;
    },
  };
}

/** An opener of this store, without environment variables. */
export function openerOf(store: Store): StoreOpener<never> {
  return { variables: [], open: () => store };
}

/** A lost race. */
export const CONFLICT: Conflict = {
  outcome: "conflict",
  aggregate: "bank.Account",
  message: "The bank.Account was changed by another request.",
};
