import { factsOf, type Rule } from "./facts";
import type { Finding } from "./finding";
import { judgeChanges } from "./judge-changes";
import { judgeCommands } from "./judge-commands";
import { judgePrivacy } from "./judge-privacy";
import { judgeProjections } from "./judge-projections";
import { judgePublication } from "./judge-publication";
import { judgeReactions } from "./judge-reactions";
import { judgeRequests } from "./judge-requests";
import { judgeSetAside } from "./judge-set-aside";
import { judgeVersions } from "./judge-versions";
import type { Snapshot } from "./snapshot";
import type { WritersJournal } from "./writers-journal";

const RULES: readonly Rule[] = [
  judgeChanges,
  judgeVersions,
  judgePublication,
  judgeProjections,
  judgeReactions,
  judgePrivacy,
  judgeSetAside,
  judgeCommands,
  judgeRequests,
];

/**
 * Judges a run by what its stores held at the end, once everything had settled. Nothing of the program is asked.
 *
 * @returns every place where a guarantee does not hold; none: all held
 */
export function judge(snapshot: Snapshot, journal: WritersJournal): Finding[] {
  const facts = factsOf(snapshot, journal);
  return RULES.flatMap((rule) => rule(facts));
}
