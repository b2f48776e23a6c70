import { isDeepStrictEqual } from "node:util";
import { type Facts, grouped, keyOf, present, publicState } from "../facts";
import { type Finding, finder } from "../finding";
import type { ProjectionFacts } from "../facts";
import type { AuditedChange, ProjectedRow } from "../snapshot";

const missing = finder("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS");
const different = finder("PROJECTION_EQUALS_SOURCE");
const living = finder("GONE_IN_PROJECTIONS");

/** Compares every projection with the newest version of each source. */
export function judgeProjections(facts: Facts): Finding[] {
  return facts.landscape.projections.flatMap((projection) => judgeProjection(projection, facts));
}

function judgeProjection(projection: ProjectionFacts, facts: Facts): Finding[] {
  const { table, aggregate } = projection;
  const rows = grouped(facts.snapshot.projections[table] ?? [], ({ aggregateId }) => aggregateId);
  const findings: Finding[] = [];
  for (const history of facts.histories.values()) {
    const [first] = history;
    if (first?.aggregate !== aggregate) continue;
    const found = rows.get(first.id) ?? [];
    rows.delete(first.id);
    const newest = newestArrived(projection, history, facts);
    findings.push(...compare(projection, `${table} "${first.id}"`, newest, found, facts));
  }
  for (const [id, found] of rows)
    findings.push(different(`${table} "${id}"`, `no row without a ${aggregate}`, found));
  return findings;
}

/** The newest change that can have reached the projection, without events that it refuses on purpose. */
function newestArrived(
  { subscription }: ProjectionFacts,
  history: readonly AuditedChange[],
  { eventsByVersion, refused }: Facts,
): AuditedChange | undefined {
  return history.findLast(({ aggregate, id, newVersion }) => {
    const [event] = eventsByVersion.get(keyOf(aggregate, id, newVersion)) ?? [];
    return !event || !refused.has(keyOf(subscription, event.id));
  });
}

function compare(
  projection: ProjectionFacts,
  where: string,
  newest: AuditedChange | undefined,
  found: readonly ProjectedRow[],
  facts: Facts,
): Finding[] {
  if (!newest) return found.length === 0 ? [] : [different(where, "no row", found)];
  const expected = expectedRow(projection, newest, facts);
  const [row, ...more] = found;
  if (!row) return [missing(where, expected, "no row")];
  if (more.length === 0 && isDeepStrictEqual(contentOf(row, facts), expected)) return [];
  const of = newest.operation === "delete" ? living : different;
  return [
    of(
      where,
      expected,
      found.map((one) => contentOf(one, facts)),
    ),
  ];
}

function expectedRow(
  { select }: ProjectionFacts,
  { aggregate, newVersion, row }: AuditedChange,
  facts: Facts,
): Omit<ProjectedRow, "aggregateId"> {
  const state = publicState(facts, aggregate, row);
  return state ? { version: newVersion, fields: present(select(state)) } : { version: newVersion };
}

/** Private fields are reported by the rule for privacy only. */
function contentOf(
  { version, fields }: ProjectedRow,
  { landscape }: Facts,
): Omit<ProjectedRow, "aggregateId"> {
  if (!fields) return { version };
  const others = Object.entries(fields).filter(([name]) => !landscape.privateNames.has(name));
  return { version, fields: Object.fromEntries(others) };
}
