import { isDeepStrictEqual } from "node:util";
import type { Registry } from "../../registry/load-domains";
import type { AnyProjection } from "../../runtime/define/project";
import type { SourceAggregate, Sources } from "./sources";
import type { Row, Stores } from "./stores";

/** What comparing the projections with their sources found. */
export interface ProjectionReport {
  /** "<domain>.<subscription>" -> what was compared there. */
  tables: Record<string, { rows: number; tombstones: number }>;
  /** Fields compared, of all rows. */
  fieldsCompared: number;
  /** Rows that are not there though their source is. */
  missing: string[];
  /** Rows older than their source. */
  stale: string[];
  /** Rows of the right version with other fields. */
  different: string[];
  /** Rows that live on though their source is gone. */
  extra: string[];
  example: { projection: string; item: Row } | undefined;
}

/** Compares every projected row, field by field, with the aggregate it is a copy of. */
export async function compareProjections(
  { modules, microservices }: Registry,
  sources: Sources,
  stores: Stores,
  physicalTable: (logicalName: string) => string,
): Promise<ProjectionReport> {
  const report: ProjectionReport = {
    tables: {},
    fieldsCompared: 0,
    missing: [],
    stale: [],
    different: [],
    extra: [],
    example: undefined,
  };
  for (const domain of [...modules, ...microservices]) {
    for (const [name, subscription] of Object.entries(domain.subscriptions)) {
      if (subscription.kind !== "project") continue;
      const items = await stores.items(physicalTable(`${domain.name}-${name}-projection`));
      const { aggregate } = subscription;
      const known = sources.aggregates.get(aggregate.name) ?? new Map();
      compareTable(`${domain.name}.${name}`, subscription, items, known, report);
    }
  }
  return report;
}

function compareTable(
  projection: string,
  { select }: AnyProjection,
  items: Row[],
  sources: Map<string, SourceAggregate>,
  report: ProjectionReport,
): void {
  const living = items.filter(({ fields }) => fields !== undefined);
  report.tables[projection] = { rows: living.length, tombstones: items.length - living.length };
  const byId = new Map(items.map((item) => [String(item["aggregateId"]), item]));
  for (const [id, source] of sources) {
    const item = byId.get(id);
    const where = `${projection} "${id}"`;
    byId.delete(id);
    if (!source.state) {
      if (item?.["fields"]) report.extra.push(where);
      continue;
    }
    if (!item?.["fields"]) {
      report.missing.push(where);
      continue;
    }
    const expected = select(source.state as never);
    report.fieldsCompared += Object.keys(expected).length;
    report.example ??= { projection, item };
    if (item["version"] !== source.version) report.stale.push(where);
    else if (!isDeepStrictEqual(item["fields"], expected)) report.different.push(where);
  }
  // What is left has no source row any more: a tombstone is what should be there.
  for (const [id, item] of byId) if (item["fields"]) report.extra.push(`${projection} "${id}"`);
}
