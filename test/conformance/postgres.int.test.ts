import { beforeAll } from "vitest";
import type { AccountHandle } from "../support/domain/account";
import { type BankDatabase, bankDatabase } from "../support/postgres/bank-database";
import { outboxConformance, storeConformance } from "./store-conformance";
import type { StoreUnderTest } from "./store-under-test";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});

const underTest = (): StoreUnderTest => ({
  store: bank.store,
  events: async (aggregateId) =>
    (await bank.events(aggregateId)).map((row) => ({
      id: row.id,
      aggregate: row.aggregate,
      version: row.aggregate_version,
      type: row.type,
      schemaVersion: row.schema_version,
      change: row.payload.change,
      state: row.payload.state,
      correlationId: row.correlation_id,
      causationId: row.causation_id ?? undefined,
      traceparent: row.traceparent ?? undefined,
    })),
  isProcessed: (_consumer, messageId) => bank.processed(messageId),
});

/** The verbs, written with Kysely's builders. */
const byKysely = (): AccountHandle => ({
  ...bank.accounts,
  create: (fields) => bank.accounts.change((table) => table.insert(fields)),
  update: ({ accountId, version }, fields) =>
    bank.accounts.change((table) =>
      table.update(fields).where("accountId", "=", accountId).where("version", "=", version),
    ),
  remove: ({ accountId, version }) =>
    bank.accounts.change((table) =>
      table.delete().where("accountId", "=", accountId).where("version", "=", version),
    ),
});

storeConformance("PostgreSQL", underTest);
outboxConformance("PostgreSQL, by Kysely's builders", () => ({ ...underTest(), accounts: byKysely() }));
