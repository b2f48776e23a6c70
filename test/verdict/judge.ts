import { factsOf, type Landscape, type Rule } from "./facts";
import type { Finding } from "./finding";
import { judgeChanges } from "./rules/changes";
import { judgeCommands } from "./rules/commands";
import { judgePrivacy } from "./rules/privacy";
import { judgeProjections } from "./rules/projections";
import { judgePublication } from "./rules/publication";
import { judgeReactions } from "./rules/reactions";
import { judgeRequests } from "./rules/requests";
import { judgeSetAside } from "./rules/set-aside";
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
  judgeSetAside,
  judgeCommands,
  judgeRequests,
];

/**
 * Judges a run by what its stores held at the end, once everything had settled. Nothing of the program is asked.
 *
 * @returns every place where a guarantee does not hold; none: all held
 */
export function judge(snapshot: Snapshot, journal: WritersJournal, landscape: Landscape): Finding[] {
  const facts = factsOf(snapshot, journal, landscape);
  return RULES.flatMap((rule) => rule(facts));
}
