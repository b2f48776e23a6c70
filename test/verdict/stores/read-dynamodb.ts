import { type AttributeValue, type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import type { Landscape } from "../facts";
import type { EntityRow, InboxRecord, OutboxEntry, ProjectedRow, Row } from "../snapshot";

/** The contents of the DynamoDB tables. */
export interface DynamoContents {
  entities: EntityRow[];
  outbox: OutboxEntry[];
  inbox: InboxRecord[];
  projections: Record<string, ProjectedRow[]>;
}

/** Logical names of all tables that the verdict reads. */
export function dynamoTables({ aggregates, outboxes, inboxes, projections }: Landscape): string[] {
  const entities = aggregates.filter(({ store }) => store === "dynamodb").map(({ table }) => table);
  return [...entities, ...outboxes, ...inboxes, ...projections.map(({ table }) => table)];
}

/**
 * Reads the microservices' tables and all projections. Call it when nothing is being written.
 *
 * @param dynamodb signs as root
 * @param physicalTable logical name of a table -> its physical name
 */
export async function readDynamo(
  dynamodb: DynamoDBClient,
  physicalTable: (logicalName: string) => string,
  landscape: Landscape,
): Promise<DynamoContents> {
  const contents = new Map<string, Row[]>();
  for (const table of dynamoTables(landscape))
    contents.set(table, await itemsOf(dynamodb, physicalTable(table)));
  const items = (table: string) => contents.get(table) ?? [];
  return {
    entities: landscape.aggregates
      .filter(({ store }) => store === "dynamodb")
      .flatMap(({ name, table, key }) =>
        items(table).map((item) => ({
          aggregate: name,
          id: String(item[key]),
          version: Number(item["version"]),
          row: item["removed"] ? null : item,
        })),
      ),
    outbox: landscape.outboxes.flatMap((table) => items(table).map((item) => outboxEntry(table, item))),
    inbox: landscape.inboxes.flatMap(items).map((item) => ({
      consumer: String(item["consumer"]),
      messageId: String(item["messageId"]),
      processedAt: String(item["processedAt"]),
    })),
    projections: Object.fromEntries(
      landscape.projections.map(({ table }) => [table, items(table).map(projectedRow)] as const),
    ),
  };
}

async function itemsOf(client: DynamoDBClient, table: string): Promise<Row[]> {
  const items: Row[] = [];
  for await (const page of paginateScan({ client }, { TableName: table, ConsistentRead: true }))
    items.push(...(page.Items ?? []).map(plainItem));
  return items;
}

function outboxEntry(outbox: string, item: Row): OutboxEntry {
  return {
    id: String(item["id"]),
    outbox,
    aggregate: String(item["aggregate"]),
    aggregateId: String(item["aggregateId"]),
    version: Number(item["aggregateVersion"]),
    type: String(item["type"]),
    data: JSON.parse(String(item["payload"])) as OutboxEntry["data"],
    correlationId: String(item["correlationId"]),
    causationId: item["causationId"] as string | undefined,
    occurredAt: String(item["occurredAt"]),
  };
}

function projectedRow(item: Row): ProjectedRow {
  return {
    aggregateId: String(item["aggregateId"]),
    version: Number(item["version"]),
    ...(item["fields"] === undefined ? {} : { fields: item["fields"] as Row }),
  };
}

/** An item as plain data. Sets and bytes, which no schema here has, stay as DynamoDB encodes them. */
export function plainItem(item: Record<string, AttributeValue>): Row {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.NULL !== undefined) return null;
  if (value.L !== undefined) return value.L.map(plainValue);
  if (value.M !== undefined) return plainItem(value.M);
  return value;
}
