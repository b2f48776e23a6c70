import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Registry } from "../../registry/load-domains";
import type { CommandAnswer } from "../../runtime/command/handler";
import type { Operations } from "../../test/faults/writers/operation";
import type { Known } from "../../test/verdict/facts";

/**
 * What a project knows about its domains beside what they register. Export it as `scenario` from
 * scenario/index.ts, where it is found. Without one, everything uses what can be derived from the domains.
 */
export interface Scenario {
  /** A title for the terminal, e.g. "a day of the shop". */
  title: string;
  /** The domains that it needs. If one of them is not registered, the scenario is skipped, with a note. */
  domains: readonly string[];
  /** Sends commands; `npm start` calls it once. */
  tell(stage: Stage): Promise<ScenarioResult>;
  /** The operations of `npm run faults`. @default derived from the domains */
  operationAt?: Operations;
  /**
   * Domain -> values that only its private fields hold. A text must not be part of any text, a number must
   * not equal any number.
   */
  privateMarks?: Readonly<Record<string, readonly (string | number)[]>>;
  /** What the verdict knows about the domains beside what they register. @default nothing */
  known?: Known;
}

/** Sends a command to a domain, with a request id if one is passed. */
export type Send = (domain: string, command: string, input: object, id?: string) => Promise<CommandAnswer>;

/** The running system, as a scenario uses it. */
export interface Stage {
  send: Send;
  /** Resolves when all events have arrived at all subscribers. */
  settled: () => Promise<void>;
  /** Prints a line of progress. */
  report: (line: string) => void;
}

/** The result of a scenario. */
export interface ScenarioResult {
  /** Answers that the scenario did not expect, a line each. */
  surprises: string[];
  /** Command lines to try next, with ids that exist. */
  tries: string[];
  /** An SQL statement that tries to bypass the outbox, with a module's login, to see the database refuse it. */
  bypass?: { module: string; sql: string };
}

const PLACE = join(__dirname, "..", "..", "scenario", "index.js");

/** Finds the project's scenario, or explains why there is none. */
export function findScenario({ all }: Registry): { scenario: Scenario } | { scenario?: never; why: string } {
  if (!existsSync(PLACE)) return { why: "There is no scenario (scenario/index.ts)." };
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a project may have none
  const { scenario } = require(PLACE) as { scenario: Scenario };
  const missing = scenario.domains.filter((name) => !all.some((domain) => domain.name === name));
  if (missing.length === 0) return { scenario };
  const names = missing.map((name) => `"${name}"`).join(", ");
  return {
    why: `The scenario in scenario/ is skipped: it needs ${names}, which domains/ does not have. Replace it with your own, or delete it.`,
  };
}
