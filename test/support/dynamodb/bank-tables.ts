/**
 * The tables of a microservice with the accounts and order lines of test/support, on an emulator of the test
 * file.
 */
import { CreateTableCommand, DynamoDBClient, type KeySchemaElement } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, vi } from "vitest";
import { startEmulator } from "../../../dist/local/servers/emulator/start-emulator.js";
import { openRunDirectory } from "../../../dist/local/servers/run/run-directory.js";
import { documentClient } from "../../../runtime/dynamodb/documents";
import { dynamoHandle, storeOn } from "../../../runtime/dynamodb/store";
import { indexAttribute } from "../../../runtime/projection/table";
import type { Store } from "../../../runtime/store/store";
import { type AccountHandle, accounts } from "../domain/account";

/** An item of the outbox. */
export interface OutboxItem {
  aggregateVersion: number;
  type: string;
  payload: string;
  [field: string]: unknown;
}

/** The names of the tables, as in a microservice's environment. */
export const BANK_TABLES = {
  entities: { accounts: "bank-accounts", order_lines: "bank-order-lines" },
  outbox: "bank-outbox",
  inbox: "bank-inbox",
  outboxRetentionDays: 7,
  inboxRetentionDays: 30,
};
/** A projection's table, with an index on the projected field "owner". */
export const PROJECTION_TABLE = "shop-accounts";

/** The tables of a test file; available once its first test begins. */
export interface BankTables {
  documents: DynamoDBDocumentClient;
  /** The store of a function; it has `PROJECTION_TABLE` as the projection "copies". */
  store: Store;
  accounts: AccountHandle;
  /** Every item of a table. */
  items(tableName: string): Promise<Record<string, unknown>[]>;
  /** Events of an aggregate, oldest first. */
  events(aggregateId: string): Promise<OutboxItem[]>;
}

/**
 * Starts an emulator with the tables for the test file; the SDK finds it by the environment. Call this
 * outside of tests.
 */
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

/** Creates the tables on a running emulator; the SDK finds it by the environment. */
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
    store: storeOn(documents, BANK_TABLES, { copies: PROJECTION_TABLE }),
    // The handle that commands receive, with its type.
    accounts: dynamoHandle(
      documents,
      "accounts",
      BANK_TABLES.entities.accounts,
      accounts,
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
    {
      indexes = [],
      stream = false,
    }: { indexes?: { name: string; attribute: string }[]; stream?: boolean } = {},
  ) => {
    const KeySchema = Object.keys(keys).map((AttributeName, position): KeySchemaElement => ({
      AttributeName,
      KeyType: position === 0 ? "HASH" : "RANGE",
    }));
    const indexed = indexes.map(({ attribute }) => [attribute, "S" as const]);
    const attributes: typeof keys = { ...keys, ...Object.fromEntries(indexed) };
    const command = new CreateTableCommand({
      TableName,
      KeySchema,
      AttributeDefinitions: Object.entries(attributes).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      BillingMode: "PAY_PER_REQUEST",
      ...(stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" } } : {}),
      ...(indexes.length > 0
        ? {
            GlobalSecondaryIndexes: indexes.map(({ name, attribute }) => ({
              IndexName: name,
              KeySchema: [{ AttributeName: attribute, KeyType: "HASH" as const }],
              Projection: { ProjectionType: "ALL" as const },
            })),
          }
        : {}),
    });
    return client.send(command);
  };
  const indexOn = (name: string, attribute = name) => ({ name, attribute });
  const { accounts, order_lines } = BANK_TABLES.entities;
  try {
    await create(accounts, { accountId: "S" }, { indexes: [indexOn("owner")] });
    await create(order_lines, { orderID: "S" }, { indexes: [indexOn("siteURL"), indexOn("buyerName")] });
    await create(BANK_TABLES.outbox, { aggregateKey: "S", aggregateVersion: "N" }, { stream: true });
    await create(BANK_TABLES.inbox, { messageId: "S", consumer: "S" });
    await create(
      PROJECTION_TABLE,
      { aggregateId: "S" },
      { indexes: [indexOn("owner", indexAttribute("owner"))] },
    );
  } finally {
    client.destroy();
  }
}
