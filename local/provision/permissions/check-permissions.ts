import { codedError } from "../../../runtime/function/coded-error";
import type { Deployment } from "../deployment";
import { refusedInvocations, refusedRules } from "./resource-policies";
import {
  refusedEndpoints,
  refusedFunctions,
  refusedMappings,
  silentFunctions,
  unattachedFunctions,
} from "./roles";

/**
 * What AWS enforces and the emulator does not, each with what checks it on this machine. docs/unverified.md has the
 * same list. PutEvents is judged when it is called (local/system/events-gate.ts).
 */
export const NOT_ENFORCED: readonly { what: string; check: (deployment: Deployment) => string[] }[] = [
  { what: "A queue's policy lets the rules send that deliver to it", check: refusedRules },
  { what: "A function lets the rules invoke it that have it as their target", check: refusedInvocations },
  { what: "A function's role trusts Lambda", check: refusedFunctions },
  { what: "A function's role may write the function's log", check: silentFunctions },
  {
    what: "A function's role may do all that Lambda demands of an event source mapping",
    check: refusedMappings,
  },
  { what: "A function's role lets Lambda attach it to its network", check: unattachedFunctions },
  { what: "The roles of DMS's endpoints trust DMS and allow what it does", check: refusedEndpoints },
];

/**
 * Checks what AWS enforces and the emulator does not, which would otherwise show only on AWS: as events that are lost
 * silently, or as resources that cannot be created.
 *
 * @throws `PERMISSION_MISSING` with every finding
 */
export function checkUnenforcedPermissions(deployment: Deployment): void {
  const findings = NOT_ENFORCED.flatMap(({ check }) => check(deployment));
  if (findings.length === 0) return;
  throw codedError(
    "PERMISSION_MISSING",
    `The program lacks permissions that the emulator does not check and AWS does: ${findings.join("; ")}.`,
  );
}
