import type { AnyDomain } from "../runtime/define/domain";
import { checkSubscriptions, checkUses } from "./check-subscriptions";
import { checkAggregates, checkTables } from "./check-tables";
import type { Fault, Report } from "./fault";
import { RESERVED_TABLES } from "../runtime/postgres/names";
import { checkName } from "./names";

/** A domain and the folder that registers it. */
export interface FoundDomain {
  /** Name of the folder below domains/. */
  folder: string;
  domain: AnyDomain;
}

/** Checks all domains together and returns every fault, so that none hides another. */
export function validateDomains(found: readonly FoundDomain[]): Fault[] {
  const faults: Fault[] = [];
  const all = found.map(({ domain }) => domain);
  const tables = new Map<string, string>();
  for (const { folder, domain } of found) {
    const report: Report = (thing, problem, remedy) => {
      faults.push({ folder: `domains/${folder}`, thing, problem, remedy });
    };
    checkName("domain", domain.name, report);
    if (domain.name !== folder) {
      report(`domain "${domain.name}"`, `is not named like its folder "${folder}"`, "Rename one of the two");
    }
    guarded(report, () => checkAggregates(domain, report));
    guarded(report, () => checkTables(domain, report));
    guarded(report, () => checkSubscriptions(domain, all, report));
    guarded(report, () => checkUses(domain, report));
    if (domain.kind !== "monolith-module") continue;
    for (const table of Object.keys(domain.tables)) {
      if (RESERVED_TABLES.includes(table)) {
        report(
          `table "${table}"`,
          "has a name that the monolith's database uses itself",
          "Choose another name",
        );
      }
      const other = tables.get(table);
      if (other)
        report(
          `table "${table}"`,
          `is registered by "${other}" too`,
          "The modules share one database: choose another name",
        );
      tables.set(table, domain.name);
    }
  }
  return faults;
}

/** A schema that throws is a fault of the folder, and the other checks go on. */
function guarded(report: Report, check: () => void): void {
  try {
    check();
  } catch (error) {
    report("its definition", `cannot be read: ${(error as Error).message}`, "Fix the definition");
  }
}
