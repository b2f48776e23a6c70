import type { AnyDomain } from "../runtime/define/domain";
import { checkDefinitions } from "./check-definitions";
import { checkSubscriptions, checkUses } from "./check-subscriptions";
import { checkSizes } from "./check-sizes";
import { checkAggregates, checkTables } from "./check-tables";
import type { Fault, Report } from "./fault";
import { checkUnheard } from "./listeners";
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
  const reportFor =
    (folder: string): Report =>
    (thing, problem, remedy) =>
      void faults.push({ folder: `domains/${folder}`, thing, problem, remedy });
  const all = found.map(({ domain }) => domain);
  const sound = found.filter(({ folder, domain }) => checkDefinitions(domain, reportFor(folder)));
  for (const { folder, domain } of found) checkDomainName(folder, domain, reportFor(folder));
  for (const { folder, domain } of sound) {
    const report = reportFor(folder);
    checkAggregates(domain, report);
    checkTables(domain, report);
    checkSubscriptions(
      domain,
      all,
      sound.map((one) => one.domain),
      report,
    );
    checkUses(domain, report);
    checkSizes(domain, report);
    // A fault in another folder would make its subscriptions look missing.
    if (sound.length === found.length) checkUnheard(domain, all, report);
  }
  checkSharedDatabase(sound, reportFor);
  return faults;
}

function checkDomainName(folder: string, { name }: AnyDomain, report: Report): void {
  checkName("domain", name, report);
  if (name !== folder) report(`domain "${name}"`, `is in the folder "${folder}"`, "Give both the same name");
}

/** The modules' tables are in one database. */
function checkSharedDatabase(found: readonly FoundDomain[], reportFor: (folder: string) => Report): void {
  const owners = new Map<string, string>();
  for (const { folder, domain } of found.filter((one) => one.domain.kind === "monolith-module")) {
    for (const table of Object.keys(domain.tables)) {
      const owner = owners.get(table);
      if (owner !== undefined) {
        reportFor(folder)(
          `table "${table}"`,
          `is registered by the domain "${owner}" too`,
          "Choose another name: the monolith's modules share one database",
        );
      }
      owners.set(table, domain.name);
    }
  }
}
