/** The tables of a microservice with the accounts of test/support/account.ts, on an emulator of the test file's own. */
import { CreateTableCommand, DynamoDBClient, type KeySchemaElement } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, vi } from "vitest";
import { startEmulator } from "../../dist/local/servers/emulator/start-emulator.js";
import { openRunDirectory } from "../../dist/local/servers/run/run-directory.js";
import { documentClient } from "../../runtime/dynamodb/client";
import type { DynamoHandle } from "../../runtime/define/handles";
import { dynamoHandle } from "../../runtime/dynamodb/handle";
import { ddbAccounts } from "./account";

/** An event as the outbox keeps it. */
export interface OutboxItem {
  aggregateVersion: number;
  type: string;
  payload: string;
  [field: string]: unknown;
}

/** The names of the tables, as a microservice's environment gives them. */
export const BANK_TABLES = {
  entities: { accounts: "bank-accounts" },
  outbox: "bank-outbox",
  inbox: "bank-inbox",
  outboxRetentionDays: 7,
  inboxRetentionDays: 30,
};
/** A projection's table. */
export const PROJECTION_TABLE = "shop-accounts";

/** The tables of a test file, once its first test begins. */
export interface BankTables {
  documents: DynamoDBDocumentClient;
  accounts: DynamoHandle<typeof ddbAccounts>;
  /** Every item of a table. */
  items(tableName: string): Promise<Record<string, unknown>[]>;
  /** Events of an aggregate, oldest first. */
  events(aggregateId: string): Promise<OutboxItem[]>;
}

/** Starts an emulator with the tables, for the test file; the SDK finds it by the environment. Call it outside of tests. */
export function bankTables(): BankTables {
  const tables = {} as BankTables;
  const cleanUps: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const run = await openRunDirectory(process.cwd());
    cleanUps.unshift(() => run.close());
    const emulator = await startEmulator({ run, report: () => undefined });
    cleanUps.unshift(() => emulator.stop());
    Object.assign(tables, await createBankTables(emulator));
    cleanUps.unshift(async () => tables.documents.destroy());
  });
  afterAll(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });
  return tables;
}

/** Makes the tables on an emulator that runs, and lets the SDK find it by the environment. */
export async function createBankTables(emulator: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}): Promise<BankTables> {
  vi.stubEnv("AWS_ENDPOINT_URL", emulator.endpoint);
  vi.stubEnv("AWS_REGION", emulator.region);
  vi.stubEnv("AWS_ACCESS_KEY_ID", emulator.credentials.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", emulator.credentials.secretAccessKey);
  await createTables();
  return tablesOf(documentClient());
}

function tablesOf(documents: DynamoDBDocumentClient): BankTables {
  const items = async (TableName: string) => {
    const found: Record<string, unknown>[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await documents.send(
        new ScanCommand({
          TableName,
          ConsistentRead: true,
          ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
        }),
      );
      found.push(...(page.Items ?? []));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return found;
  };
  return {
    documents,
    // What `Store.handles` hands to commands, with its type.
    accounts: dynamoHandle(
      documents,
      "accounts",
      BANK_TABLES.entities.accounts,
      ddbAccounts,
    ) as unknown as BankTables["accounts"],
    items,
    events: async (aggregateId) =>
      ((await items(BANK_TABLES.outbox)) as OutboxItem[])
        .filter((item) => item["aggregateId"] === aggregateId)
        .sort((a, b) => a.aggregateVersion - b.aggregateVersion),
  };
}

/** As components/microservice/tables.ts and components/subscription/projections.ts declare them. */
async function createTables() {
  const client = new DynamoDBClient({});
  const create = (
    TableName: string,
    keys: Record<string, "S" | "N">,
    { index, stream = false }: { index?: string; stream?: boolean } = {},
  ) => {
    const KeySchema = Object.keys(keys).map((AttributeName, position): KeySchemaElement => ({
      AttributeName,
      KeyType: position === 0 ? "HASH" : "RANGE",
    }));
    const attributes = { ...keys, ...(index ? { [index]: "S" as const } : {}) };
    const command = new CreateTableCommand({
      TableName,
      KeySchema,
      AttributeDefinitions: Object.entries(attributes).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      BillingMode: "PAY_PER_REQUEST",
      ...(stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" } } : {}),
      ...(index
        ? {
            GlobalSecondaryIndexes: [
              {
                IndexName: index,
                KeySchema: [{ AttributeName: index, KeyType: "HASH" }],
                Projection: { ProjectionType: "ALL" },
              },
            ],
          }
        : {}),
    });
    return client.send(command);
  };
  try {
    await create(BANK_TABLES.entities.accounts, { accountId: "S" }, { index: "owner" });
    await create(BANK_TABLES.outbox, { aggregateKey: "S", aggregateVersion: "N" }, { stream: true });
    await create(BANK_TABLES.inbox, { messageId: "S", consumer: "S" });
    await create(PROJECTION_TABLE, { aggregateId: "S" });
  } finally {
    client.destroy();
  }
}
