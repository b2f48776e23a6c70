import { isDeepStrictEqual } from "node:util";
import { type Facts, grouped, keyOf, publicState } from "./facts";
import { type Finding, finder } from "./finding";
import { PRIVATE_NAMES, PROJECTIONS, type ProjectionFacts } from "./landscape";
import type { AuditedChange, ProjectedRow } from "./snapshot";

const missing = finder("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS");
const different = finder("PROJECTION_EQUALS_SOURCE");
const living = finder("GONE_IN_PROJECTIONS");

/** Compares every projection with the newest version of each source. */
export function judgeProjections(facts: Facts): Finding[] {
  return PROJECTIONS.flatMap((projection) => judgeProjection(projection, facts));
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
    findings.push(...compare(projection, `${table} "${first.id}"`, newest, found));
  }
  for (const [id, found] of rows)
    findings.push(different(`${table} "${id}"`, `no row without a ${aggregate}`, found));
  return findings;
}

/** The newest change of which the projection can know: events that it refuses on purpose are none of these. */
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
): Finding[] {
  if (!newest) return found.length === 0 ? [] : [different(where, "no row", found)];
  const expected = expectedRow(projection, newest);
  const [row, ...more] = found;
  if (!row) return [missing(where, expected, "no row")];
  if (more.length === 0 && isDeepStrictEqual(contentOf(row), expected)) return [];
  const of = newest.operation === "delete" ? living : different;
  return [of(where, expected, found.map(contentOf))];
}

function expectedRow(
  { fields }: ProjectionFacts,
  { aggregate, newVersion, row }: AuditedChange,
): Omit<ProjectedRow, "aggregateId"> {
  const state = publicState(aggregate, row);
  if (!state) return { version: newVersion };
  return { version: newVersion, fields: Object.fromEntries(fields.map((field) => [field, state[field]])) };
}

/** Private fields are another rule's: they are to be told once. */
function contentOf({ version, fields }: ProjectedRow): Omit<ProjectedRow, "aggregateId"> {
  if (!fields) return { version };
  const others = Object.entries(fields).filter(([name]) => !PRIVATE_NAMES.has(name));
  return { version, fields: Object.fromEntries(others) };
}
