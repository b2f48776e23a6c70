import { aggregateFacts, type Facts, nameOfEvent } from "../facts";
import { type Finding, finder } from "../finding";
import { leakIn, type Secrets } from "./leak";

const finding = finder("NOTHING_PRIVATE_LEAVES");

/** Looks for private values and the names of private columns wherever they do not belong. */
export function judgePrivacy(facts: Facts): Finding[] {
  const { snapshot, landscape } = facts;
  const { privateNames, aggregates } = landscape;
  const { privateMarks } = facts.journal;
  const values = privateValues(facts);
  const findings: Finding[] = [];
  const secretsOf = (domains: string[], names: ReadonlySet<string>): Secrets => ({
    marks: domains.flatMap((domain) => privateMarks[domain] ?? []),
    values: new Set(domains.flatMap((domain) => [...(values.get(domain) ?? [])])),
    names,
  });
  const domains = [...new Set(aggregates.map(({ domain }) => domain))];
  const all = secretsOf(domains, privateNames);
  const look = (where: string, value: unknown, secrets: Secrets = all) => {
    const leak = leakIn(value, secrets);
    if (leak !== undefined) findings.push(finding(where, "nothing private", leak));
  };
  for (const event of snapshot.outbox) look(`payload of ${nameOfEvent(event)}`, event.data);
  for (const envelope of snapshot.bus) look("event on the bus", envelope);
  for (const { queue, body } of snapshot.setAside) look(`message in ${queue}`, body);
  for (const record of snapshot.inbox) look(`inbox of ${record.consumer}`, record);
  for (const { table } of landscape.projections)
    for (const row of snapshot.projections[table] ?? []) look(`${table} "${row.aggregateId}"`, row);
  const foreign = new Map(
    aggregates.map(({ domain, privateColumns, columns }) => {
      const others = domains.filter((other) => other !== domain);
      const own = new Set([...privateColumns, ...Object.values(columns)]);
      const names = [...privateNames].filter((name) => !own.has(name));
      return [domain, secretsOf(others, new Set(names))];
    }),
  );
  for (const { aggregate, id, row } of snapshot.entities) {
    const domain = aggregateFacts(facts, aggregate)?.domain ?? "";
    look(`table of ${aggregate} "${id}"`, row, foreign.get(domain));
  }
  return findings;
}

/** Shorter texts may stand somewhere by chance. */
const SHORTEST_VALUE_CHARACTERS = 12;

/** Domain -> texts that stood in its private columns, and in no public field of any aggregate. */
function privateValues({ snapshot, landscape }: Facts): ReadonlyMap<string, ReadonlySet<string>> {
  const published = new Set<unknown>();
  const hidden = new Map<string, Set<string>>();
  for (const { aggregate, row } of [...snapshot.entities, ...snapshot.changes]) {
    const known = landscape.aggregates.find(({ name }) => name === aggregate);
    if (!known || !row) continue;
    for (const column of Object.values(known.columns)) published.add(row[column]);
    const values = hidden.get(known.domain) ?? new Set();
    hidden.set(known.domain, values);
    for (const column of known.privateColumns) {
      const value = row[column];
      if (typeof value === "string" && value.length >= SHORTEST_VALUE_CHARACTERS) values.add(value);
    }
  }
  for (const values of hidden.values())
    for (const value of values) if (published.has(value)) values.delete(value);
  return hidden;
}
