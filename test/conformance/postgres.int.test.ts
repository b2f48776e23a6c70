import { beforeAll } from "vitest";
import { commitToPostgres } from "../../runtime/postgres/commit";
import { type BankDatabase, bankDatabase } from "../support/bank-database";
import { outboxConformance } from "./outbox-conformance";
import type { BankAccount } from "./outbox-under-test";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});

const rowOf = ({ accountId, ...fields }: Partial<BankAccount>) => ({
  ...(accountId === undefined ? {} : { account_id: accountId }),
  ...fields,
});

outboxConformance("PostgreSQL", () => ({
  commit: (changes, context) => commitToPostgres(bank.db, changes, context),
  opening: (account, change = {}) =>
    bank.accounts.change("AccountOpened", change as never, ({ insert }) =>
      insert({ ...account, ...rowOf(account), accountId: undefined } as never),
    ),
  changing: (read, type, change, fields) =>
    bank.accounts.change(type as "AccountCredited", change as { amount: number }, ({ update }) =>
      update(rowOf(fields)).where("account_id", "=", read.accountId).where("version", "=", read.version),
    ),
  closing: (read) =>
    bank.accounts.change("AccountClosed", { reason: "moved" }, (change) =>
      change.delete().where("account_id", "=", read.accountId).where("version", "=", read.version),
    ),
  async find(accountId) {
    const row = await bank.account(accountId);
    if (!row) return undefined;
    const { account_id, note, ...fields } = row;
    return { accountId: account_id, ...fields, ...(note === null ? {} : { note }) } as never;
  },
  events: async (accountId) =>
    (await bank.events(accountId)).map((row) => ({
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
}));
