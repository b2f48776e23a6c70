import { type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { plainItem } from "./attribute-value";
import type { Landscape } from "../facts";
import type { EntityRow, InboxRecord, OutboxEntry, ProjectedRow, Row } from "../snapshot";

/** What the DynamoDB tables hold. */
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
 * Reads the microservices' tables and all projections, once nothing is written any more.
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
    outbox: landscape.outboxes.flatMap(items).map(outboxEntry),
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

function outboxEntry(item: Row): OutboxEntry {
  return {
    id: String(item["id"]),
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
