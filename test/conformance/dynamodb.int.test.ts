import { BANK_TABLES, bankTables } from "../support/dynamodb/bank-tables";
import { storeConformance } from "./store-conformance";

const bank = bankTables();

storeConformance("DynamoDB", () => ({
  store: bank.store,
  events: async (accountId) =>
    (await bank.events(accountId)).map((item) => ({
      id: String(item["id"]),
      aggregate: String(item["aggregate"]),
      version: item.aggregateVersion,
      type: item.type,
      schemaVersion: Number(item["schemaVersion"]),
      ...(JSON.parse(item.payload) as { change: unknown; state: unknown }),
      correlationId: String(item["correlationId"]),
      causationId: item["causationId"] as string | undefined,
      traceparent: item["traceparent"] as string | undefined,
    })),
  isProcessed: async (consumer, messageId) =>
    (await bank.items(BANK_TABLES.inbox)).some(
      (item) => item["consumer"] === consumer && item["messageId"] === messageId,
    ),
}));
