import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Registry } from "../../registry/load-domains";
import type { CommandAnswer } from "../../runtime/command/handler";
import type { Operation, Operations } from "../../test/faults/writers/operation";
import type { Known } from "../../test/verdict/facts";

/**
 * What is known of a project's own domains beside what they register. It lives in the folder scenario/ and is found there: export it as
 * `scenario` from scenario/index.ts. Without one, everything works with what can be derived from the domains.
 */
export interface Scenario {
  /** What it is, for the terminal, e.g. "a day of the shop". */
  title: string;
  /** The domains that it needs. If one of them is not registered, the scenario is left out, and that is reported. */
  domains: readonly string[];
  /** Told once by `npm start`. */
  tell(stage: Stage): Promise<Told>;
  /** What `npm run faults` writes. @default derived from the domains */
  operationAt?: Operations;
  /** What is written while each step is killed between its side effects. @default operations as above */
  rounds?: Rounds;
  /** Domain -> values that stand in its private fields only: a text counts wherever it is part of one, a number as a whole. */
  privateMarks?: Readonly<Record<string, readonly (string | number)[]>>;
  /** What the verdict knows of the domains beside what they register. @default nothing */
  known?: Known;
}

/** Sends a command to a domain, with the request's id if one is given. */
export type Send = (domain: string, command: string, input: object, id?: string) => Promise<CommandAnswer>;

/** What a scenario needs of the system. */
export interface Stage {
  send: Send;
  /** Resolves when everything that was set off has arrived everywhere. */
  settled: () => Promise<void>;
  /** Takes a line of progress. */
  report: (line: string) => void;
}

/** How a scenario ended. */
export interface Told {
  /** Answers that were not what the scenario expects; empty when all went well. */
  surprises: string[];
  /** Command lines to try next, with ids that exist. */
  tries: string[];
  /** A statement that goes around the outbox, to see the database refuse it. */
  bypass?: string;
}

/** Rounds of writing: lists of operations that run side by side, each operation of a list after the one before it. */
export interface Rounds {
  /** @param index from 0 */
  at(index: number): readonly (readonly Operation[])[];
  /** From this round on a round has all operations. */
  firstWhole: number;
}

const PLACE = join(__dirname, "..", "..", "scenario", "index.js");

/** Finds the project's scenario, or says why there is none. */
export function findScenario({ all }: Registry): { scenario: Scenario } | { scenario?: never; why: string } {
  if (!existsSync(PLACE)) return { why: "There is no scenario (scenario/index.ts)." };
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it is found by its place, and a project may have none
  const { scenario } = require(PLACE) as { scenario: Scenario };
  const missing = scenario.domains.filter((name) => !all.some((domain) => domain.name === name));
  if (missing.length === 0) return { scenario };
  const names = missing.map((name) => `"${name}"`).join(", ");
  return {
    why: `The scenario in scenario/ is left out: it needs ${names}, which domains/ does not have. Replace it by one of your own, or delete it.`,
  };
}
