import { findScenario, type Scenario } from "../../../local/run/scenario";
import type { LocalSystem } from "../../../local/system/system";
import { codedError } from "../../../runtime/function/coded-error";
import { derivedOperations } from "./derived";
import type { Operations } from "./operation";

/** What the writers of a run do, and what is known of it. */
export interface Writing {
  operationAt: Operations;
  privateMarks: NonNullable<Scenario["privateMarks"]>;
  known: NonNullable<Scenario["known"]>;
}

/**
 * The project's own writers, or else those that can be derived from its domains.
 *
 * @throws NOTHING_TO_WRITE when no domain has a command
 */
export function whatToWrite({ registry }: LocalSystem): Writing {
  const { scenario } = findScenario(registry);
  const operationAt = scenario?.operationAt ?? derivedOperations(registry.all);
  if (!operationAt) {
    throw codedError(
      "NOTHING_TO_WRITE",
      "No domain under domains/ has a command, so there is nothing to write. Add a domain with a command.",
    );
  }
  return { operationAt, privateMarks: scenario?.privateMarks ?? {}, known: scenario?.known ?? {} };
}
