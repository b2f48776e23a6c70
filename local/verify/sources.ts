import type { Registry } from "../../registry/load-domains";
import type { AnyDomain } from "../../runtime/define/domain";
import { columnsOf } from "../../runtime/postgres/columns";
import type { AnyTable } from "../../runtime/define/table";
import type { Row, Stores } from "./stores";

/** An aggregate as its own domain has it. */
export interface SourceAggregate {
  version: number;
  /** Its public state; undefined once it is gone. */
  state: Record<string, unknown> | undefined;
}

/** An event as an outbox has it. */
export interface OutboxEvent {
  id: string;
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  aggregateId: string;
  version: number;
  type: string;
  causationId: string | undefined;
  data: { change: unknown; state: unknown };
}

/** All that the domains themselves hold. */
export interface Sources {
  /** "<domain>.<Aggregate>" -> id -> aggregate. */
  aggregates: Map<string, Map<string, SourceAggregate>>;
  outbox: OutboxEvent[];
  /** Entity rows and items, gone ones left out. */
  entities: { monolith: number; microservices: number };
}

/** Reads every domain's entity tables and outbox. */
export async function readSources(
  { modules, microservices }: Registry,
  stores: Stores,
  physicalTable: (logicalName: string) => string,
): Promise<Sources> {
  const sources: Sources = { aggregates: new Map(), outbox: [], entities: { monolith: 0, microservices: 0 } };
  const keep = (domain: AnyDomain, table: AnyTable, rows: Row[]) => {
    const columns = domain.kind === "monolith-module" ? columnsOf(table).all : {};
    const known = new Map(rows.map((row) => [keyOf(table, columns, row), sourceOf(table, columns, row)]));
    sources.aggregates.set(table.aggregate.name, known);
    return [...known.values()].filter(({ state }) => state).length;
  };
  for (const module of modules) {
    for (const [name, table] of Object.entries(module.tables)) {
      sources.entities.monolith += keep(module, table, await stores.rows(name));
    }
  }
  sources.outbox.push(...(await stores.rows("outbox")).map(postgresEvent));
  for (const service of microservices) {
    for (const [name, table] of Object.entries(service.tables)) {
      const items = await stores.items(physicalTable(`${service.name}-${name}-table`));
      sources.entities.microservices += keep(service, table, items);
    }
    sources.outbox.push(...(await stores.items(physicalTable(`${service.name}-outbox`))).map(dynamoEvent));
  }
  return sources;
}

function keyOf(table: AnyTable, columns: Readonly<Record<string, string>>, row: Row): string {
  const { key } = table.aggregate;
  return String(row[columns[key] ?? key]);
}

function sourceOf(table: AnyTable, columns: Readonly<Record<string, string>>, row: Row): SourceAggregate {
  const version = Number(row["version"]);
  if (row["removed"]) return { version, state: undefined };
  const fields = Object.keys(table.aggregate.state().shape);
  const column = (field: string) => columns[field] ?? field;
  return { version, state: Object.fromEntries(fields.map((field) => [field, row[column(field)]])) };
}

function postgresEvent(row: Row): OutboxEvent {
  return {
    id: String(row["id"]),
    aggregate: String(row["aggregate"]),
    aggregateId: String(row["aggregate_id"]),
    version: Number(row["aggregate_version"]),
    type: String(row["type"]),
    causationId: (row["causation_id"] as string | null) ?? undefined,
    data: row["payload"] as OutboxEvent["data"],
  };
}

function dynamoEvent(item: Row): OutboxEvent {
  return {
    id: String(item["id"]),
    aggregate: String(item["aggregate"]),
    aggregateId: String(item["aggregateId"]),
    version: Number(item["aggregateVersion"]),
    type: String(item["type"]),
    causationId: item["causationId"] as string | undefined,
    data: JSON.parse(String(item["payload"])) as OutboxEvent["data"],
  };
}
