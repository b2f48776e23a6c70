/** A domain for tests of the runtime: bank accounts, kept in PostgreSQL and in DynamoDB. */
import { z } from "zod";
import { aggregate, type NewRowOf, type RowOf, table } from "../../../runtime";
import type { TableHandle } from "../../../runtime/define/handles";

/** An account; its note is private. */
export const Account = aggregate("bank.Account", {
  key: "accountId",
  state: () =>
    z.object({
      accountId: z.uuid(),
      owner: z.string().min(1),
      balance: z.int().min(0),
      grade: z.string().min(1),
    }),
  events: {
    AccountOpened: () => z.object({}),
    AccountCredited: { version: 2, change: () => z.object({ amount: z.int().min(1) }) },
    AccountRenamed: () => z.object({ memo: z.string().optional() }),
    AccountClosed: () => z.object({ reason: z.string() }),
  },
});

/** The entity table of accounts, with an index on the owner. */
export const accounts = table(Account, {
  private: () => z.object({ note: z.string().nullish() }),
  indexes: ["owner"],
});

/** An account as it is created. */
export type NewAccount = NewRowOf<typeof accounts>;
/** An account as it is read. */
export type ReadAccount = RowOf<typeof accounts>;
/** The handle of the accounts, in either store. */
export type AccountHandle = TableHandle<typeof accounts>;

/** Makes the table in PostgreSQL, as a migration would. */
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

/** An account to create; by default its owner has no other account. */
export function newAccount(accountId: string, more: Partial<NewAccount> = {}): NewAccount {
  return { accountId, owner: `owner of ${accountId}`, balance: 0, grade: "gold", ...more };
}

/** The row of `newAccount` at a version, for tests that do not read it first. */
export function accountAt(accountId: string, version: number, more: Partial<NewAccount> = {}): ReadAccount {
  return { ...newAccount(accountId, more), version };
}

/** Changes of accounts, described as a command describes them. */
export function accountChanges(handle: () => AccountHandle) {
  return {
    opening: (accountId: string, more?: Partial<NewAccount>) =>
      handle().create(newAccount(accountId, more)).raise("AccountOpened"),
    crediting: (read: ReadAccount, balance = read.balance + 1) =>
      handle().update(read, { balance }).raise("AccountCredited", { amount: 1 }),
    closing: (read: ReadAccount) => handle().remove(read).raise("AccountClosed", { reason: "moved" }),
  };
}
