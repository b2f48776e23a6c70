import { aggregateFacts, type Facts, nameOfEvent } from "./facts";
import { type Finding, finder } from "./finding";
import { leakIn, type Secrets } from "./leak";
import { AGGREGATES, PRIVATE_NAMES, PROJECTIONS } from "./landscape";

const finding = finder("NOTHING_PRIVATE_LEAVES");

/** Looks for private values and the names of private columns wherever they do not belong. */
export function judgePrivacy({ snapshot, journal }: Facts): Finding[] {
  const findings: Finding[] = [];
  const secretsOf = (domains: string[], names: ReadonlySet<string>): Secrets => ({
    marks: domains.flatMap((domain) => journal.privateMarks[domain] ?? []),
    names,
  });
  const all = secretsOf(Object.keys(journal.privateMarks), PRIVATE_NAMES);
  const look = (where: string, value: unknown, secrets: Secrets = all) => {
    const leak = leakIn(value, secrets);
    if (leak !== undefined) findings.push(finding(where, "nothing private", leak));
  };
  for (const event of snapshot.outbox) look(`payload of ${nameOfEvent(event)}`, event.data);
  for (const envelope of snapshot.bus) look("event on the bus", envelope);
  for (const { queue, body } of snapshot.setAside) look(`message in ${queue}`, body);
  for (const record of snapshot.inbox) look(`inbox of ${record.consumer}`, record);
  for (const { table } of PROJECTIONS)
    for (const row of snapshot.projections[table] ?? []) look(`${table} "${row.aggregateId}"`, row);
  const foreign = new Map(
    AGGREGATES.map(({ domain, privateColumns }) => {
      const others = Object.keys(journal.privateMarks).filter((other) => other !== domain);
      const names = [...PRIVATE_NAMES].filter((name) => !privateColumns.includes(name));
      return [domain, secretsOf(others, new Set(names))];
    }),
  );
  for (const { aggregate, id, row } of snapshot.entities) {
    const domain = aggregateFacts(aggregate)?.domain ?? "";
    look(`table of ${aggregate} "${id}"`, row, foreign.get(domain));
  }
  return findings;
}
