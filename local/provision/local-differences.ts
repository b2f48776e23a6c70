import type { LocalDifference } from "./deployment";
import type { ResourceKind } from "./resource-kind";
import type { Registration } from "./program-monitor";

const UNKNOWN_EFFECT = "the provisioner does not pass it on.";

/** Inputs that the provisioner treats alike for every kind. */
const COMMON_INPUTS = ["region", "tagsAll"];

/** What of the declared resources a local run does otherwise than AWS, one entry for each type and input. */
export function localDifferences(
  declared: { registration: Registration; kind: ResourceKind }[],
): LocalDifference[] {
  const differences = new Map<string, LocalDifference>();
  const add = (type: string, name: string, reason: string, input?: string) => {
    const key = `${type} ${input ?? ""}`;
    const known = differences.get(key);
    if (known) known.resources.push(name);
    else differences.set(key, { type, reason, resources: [name], ...(input !== undefined && { input }) });
  };
  for (const { registration, kind } of declared) {
    const { type, name, inputs } = registration;
    const whole = kind.replacement ?? kind.caveat;
    if (whole !== undefined) add(type, name, whole);
    for (const input of Object.keys(inputs)) {
      if (kind.effective.includes(input) || COMMON_INPUTS.includes(input)) continue;
      // Of an explicit provider nothing has an effect, which its replacement says.
      if (kind.effective.length > 0) add(type, name, kind.ineffective?.[input] ?? UNKNOWN_EFFECT, input);
    }
  }
  return [...differences.values()];
}
