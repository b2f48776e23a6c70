import { commitToDynamo } from "../../runtime/dynamodb/commit";
import { BANK_TABLES, bankTables } from "../support/bank-tables";
import { outboxConformance } from "./outbox-conformance";
import type { ReadAccount } from "./outbox-under-test";

const bank = bankTables();

outboxConformance("DynamoDB", () => ({
  commit: (changes, context) => commitToDynamo(bank.documents, BANK_TABLES, changes, context),
  opening: (account, change = {}) => bank.accounts.create("AccountOpened", change as never, account as never),
  changing: (read, type, change, fields) =>
    bank.accounts.update(
      type as "AccountCredited",
      change as { amount: number },
      read as never,
      fields as never,
    ),
  closing: (read) => bank.accounts.remove("AccountClosed", { reason: "moved" }, read as never),
  find: async (accountId) => (await bank.accounts.find(accountId)) as ReadAccount | undefined,
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
