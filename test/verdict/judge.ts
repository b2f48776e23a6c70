import { factsOf, type Landscape, type Rule } from "./facts";
import type { Finding } from "./finding";
import { judgeChanges } from "./rules/changes";
import { judgeDeadLetters } from "./rules/dead-letters";
import { judgePrivacy } from "./rules/privacy";
import { judgeProjections } from "./rules/projections";
import { judgePublication } from "./rules/publication";
import { judgeQuarantine } from "./rules/quarantine";
import { judgeReactions } from "./rules/reactions";
import { judgeRequests } from "./rules/requests";
import { judgeVersions } from "./rules/versions";
import type { Snapshot } from "./snapshot";
import type { WritersJournal } from "./writers-journal";

const RULES: readonly Rule[] = [
  judgeChanges,
  judgeVersions,
  judgePublication,
  judgeProjections,
  judgeReactions,
  judgePrivacy,
  judgeQuarantine,
  judgeDeadLetters,
  judgeRequests,
];

/**
 * Judges a run by the contents of its stores after everything had settled, without asking the program.
 *
 * @returns every place where a guarantee does not hold; an empty list if all held
 */
export function judge(snapshot: Snapshot, journal: WritersJournal, landscape: Landscape): Finding[] {
  const facts = factsOf(snapshot, journal, landscape);
  return RULES.flatMap((rule) => rule(facts));
}
