import type { Deployment } from "../provision/deployment";

/** A quota of AWS that the stack exceeds. It can be raised, so the stack is not refused. */
export interface ExceededQuota {
  /** What there is too much of, e.g. "rules on the bus events". */
  of: string;
  count: number;
  /** AWS's default. */
  quota: number;
}

const RULE_TYPE = "aws:cloudwatch/eventRule:EventRule";
/** Rules of a bus; 100 in af-south-1 and eu-south-1. Source: Amazon EventBridge quotas. */
const RULES_PER_BUS = { quota: 300, lower: { quota: 100, regions: ["af-south-1", "eu-south-1"] } };

/** The adjustable quotas that a planned stack exceeds by itself, whatever else the account has. */
export function exceededQuotas(plan: Deployment, region: string): ExceededQuota[] {
  const { quota, lower } = RULES_PER_BUS;
  const most = lower.regions.includes(region) ? lower.quota : quota;
  const rules = new Map<string, number>();
  for (const { inputs } of plan.byType(RULE_TYPE)) {
    const bus = String(inputs["eventBusName"] ?? "default");
    rules.set(bus, (rules.get(bus) ?? 0) + 1);
  }
  return [...rules]
    .filter(([, count]) => count > most)
    .map(([bus, count]) => ({ of: `rules on the bus ${bus}`, count, quota: most }));
}

/** A line for each. */
export function describeQuotas(exceeded: readonly ExceededQuota[]): string {
  return exceeded
    .map(
      ({ of, count, quota }) =>
        `There are ${count} ${of}, and AWS's default quota is ${quota}: have it raised (Service Quotas) before you deploy.`,
    )
    .join("\n");
}
