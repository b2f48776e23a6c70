import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, paginateScan } from "@aws-sdk/lib-dynamodb";
import { Client } from "pg";

/** One row or item, as the store has it. */
export type Row = Record<string, unknown>;

/** Reads the stores directly, as an administrator: nothing of the runtime is between. */
export interface Stores {
  /** All rows of a table of the monolith. */
  rows(table: string): Promise<Row[]>;
  /** All items of a DynamoDB table, by its physical name. */
  items(table: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** Opens the stores of a run. */
export async function openStores(options: {
  adminUrl: string;
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}): Promise<Stores> {
  const postgres = new Client({ connectionString: options.adminUrl });
  await postgres.connect();
  const { endpoint, region, credentials } = options;
  const dynamo = new DynamoDBClient({ endpoint, region, credentials });
  const documents = DynamoDBDocumentClient.from(dynamo);
  return {
    rows: async (table) =>
      (await postgres.query<Row>(`select * from ${postgres.escapeIdentifier(table)}`)).rows,
    async items(table) {
      const items: Row[] = [];
      const pages = paginateScan({ client: documents }, { TableName: table, ConsistentRead: true });
      for await (const page of pages) items.push(...(page.Items ?? []));
      return items;
    },
    async close() {
      await postgres.end();
      dynamo.destroy();
    },
  };
}
