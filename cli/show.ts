import { DynamoDBDocumentClient, GetCommand, paginateScan } from "@aws-sdk/lib-dynamodb";
import type { ProjectedItem } from "../runtime/projection/table";
import { codedError } from "../runtime/function/coded-error";
import { choose, type RunningSystem } from "./running-system";

/** What to show. */
export interface ShowOptions {
  domain: string;
  projection: string;
  /** One aggregate; default: all. */
  id?: string;
}

/** What is shown of a projected aggregate. */
export type ShownItem = { id: string; version: number; occurredAt: string } & (
  { fields: Record<string, unknown> } | { gone: true }
);

/**
 * Reads a projection of a domain.
 *
 * @throws NAME_UNKNOWN, NOT_PROJECTED
 */
export async function show(
  system: RunningSystem,
  { domain, projection, id }: ShowOptions,
): Promise<ShownItem[]> {
  const projections = choose("domain", domain, system.projectionTables);
  const TableName = choose(`projection of "${domain}"`, projection, projections);
  const documents = DynamoDBDocumentClient.from(system.clients.dynamodb);
  if (id !== undefined) {
    const { Item } = await documents.send(new GetCommand({ TableName, Key: { aggregateId: id } }));
    if (Item) return [shown(Item as ProjectedItem)];
    const where = `${domain} ${projection}`;
    throw codedError(
      "NOT_PROJECTED",
      `"${id}" is not in ${where}. Leave the id out to see all that is there.`,
    );
  }
  const items: ShownItem[] = [];
  for await (const { Items = [] } of paginateScan({ client: documents }, { TableName })) {
    items.push(...(Items as ProjectedItem[]).map(shown));
  }
  return items.sort((a, b) => a.id.localeCompare(b.id));
}

function shown({ aggregateId, version, occurredAt, fields }: ProjectedItem): ShownItem {
  const item = { id: aggregateId, version, occurredAt };
  return fields ? { ...item, fields } : { ...item, gone: true };
}
