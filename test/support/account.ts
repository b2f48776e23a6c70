/** A domain for tests of the runtime: bank accounts, kept in PostgreSQL and in DynamoDB. */
import { z } from "zod";
import { aggregate } from "../../runtime/define/aggregate";
import { entityTable } from "../../runtime/define/table";

/** An account; its note is private. */
export const Account = aggregate({
  domain: "bank",
  name: "Account",
  key: "accountId",
  state: () =>
    z.object({
      accountId: z.uuid(),
      owner: z.string().min(1),
      balance: z.int().min(0),
      grade: z.string().min(1),
    }),
  events: {
    AccountOpened: { version: 1, change: () => z.object({}) },
    AccountCredited: { version: 2, change: () => z.object({ amount: z.int().min(1) }) },
    AccountRenamed: { version: 1, change: () => z.object({ memo: z.string().optional() }) },
    AccountClosed: { version: 1, change: () => z.object({ reason: z.string() }) },
  },
});

/** Accounts in PostgreSQL, see `ACCOUNTS_SQL`. */
export const pgAccounts = entityTable(Account, {
  columns: { accountId: "account_id", owner: "owner", balance: "balance", grade: "grade" },
  private: () => z.object({ note: z.string().nullish() }),
});

/** Accounts in DynamoDB, to be found by their owner as well. */
export const ddbAccounts = entityTable(Account, {
  private: () => z.object({ note: z.string().optional() }),
  indexes: ["owner"],
});

/** Makes the table of `pgAccounts`, as a migration would. */
export const ACCOUNTS_SQL = `
  create table accounts (
    account_id uuid primary key,
    owner text not null,
    balance integer not null default 0,
    grade text not null default 'standard',
    note text,
    version integer not null
  );
  grant select, insert, update, delete on accounts to monolith_application;
  select guard_entity_table('accounts', 'bank.Account', 'account_id');
`;
