import { v7 as uuid } from "uuid";
import { beforeAll, expect } from "vitest";
import type { CommitContext, StagedChange, Store } from "../../runtime/store/store";

/** An account of test/support/account.ts: what it publishes, and a note that is private. */
export interface BankAccount {
  accountId: string;
  owner: string;
  balance: number;
  grade: string;
  note?: string | null;
}

/** An account as it was read. */
export type ReadAccount = BankAccount & { version: number };

/** An event as the outbox has it. */
export interface WrittenEvent {
  id: string;
  aggregate: string;
  version: number;
  type: string;
  schemaVersion: number;
  change: unknown;
  state: unknown;
  correlationId: string;
  causationId: string | undefined;
  traceparent: string | undefined;
}

/** A store under test, which keeps the accounts of test/support/account.ts. */
export interface OutboxUnderTest {
  commit: Store["commit"];
  /** Stages a new account, as a command would. */
  opening(account: BankAccount, change?: unknown): StagedChange;
  /** Stages a change of an account as it was read. */
  changing(read: ReadAccount, type: string, change: unknown, fields: Partial<BankAccount>): StagedChange;
  /** Stages the removal of an account as it was read. */
  closing(read: ReadAccount): StagedChange;
  /** The account as it stands. */
  find(accountId: string): Promise<ReadAccount | undefined>;
  /** The events of an account, oldest first. */
  events(accountId: string): Promise<WrittenEvent[]>;
  /** Whether the inbox has a record of this pair. */
  isProcessed(consumer: string, messageId: string): Promise<boolean>;
}

/** What every test of the suite does with a store. */
export interface Bank {
  /** Known once the first test begins. */
  store(): OutboxUnderTest;
  commit(changes: StagedChange[], context?: Partial<CommitContext>): ReturnType<Store["commit"]>;
  /** The account, which has to be there. */
  found(accountId: string): Promise<ReadAccount>;
  /** Opens an account and reads it. */
  opened(more?: Partial<BankAccount>): Promise<ReadAccount>;
  /** Stages a credit. */
  crediting(read: ReadAccount, balance?: number): StagedChange;
  /** "<version> <event type>" of each event. */
  versions(accountId: string): Promise<string[]>;
  /** Everything there is of some accounts. */
  everything(ids: string[]): Promise<unknown[]>;
}

export const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
export const once = (messageId: string, consumer = "bank.commands") => ({ once: { consumer, messageId } });

export function newAccount(more: Partial<BankAccount> = {}): BankAccount {
  const accountId = uuid();
  return { accountId, owner: `owner of ${accountId}`, balance: 0, grade: "gold", ...more };
}

/** Opens the store before the first test. */
export function bankOf(makeStore: () => OutboxUnderTest | Promise<OutboxUnderTest>): Bank {
  let store: OutboxUnderTest;
  beforeAll(async () => {
    store = await makeStore();
  });
  const commit = (changes: StagedChange[], context: Partial<CommitContext> = {}) =>
    store.commit(changes, { correlationId: "request-1", ...context });
  const found = async (accountId: string) => {
    const account = await store.find(accountId);
    expect(account).toBeDefined();
    return account!;
  };
  const opened = async (more: Partial<BankAccount> = {}) => {
    const account = newAccount(more);
    expect(await commit([store.opening(account)])).toMatchObject({ outcome: "committed" });
    return found(account.accountId);
  };
  const crediting = (read: ReadAccount, balance = read.balance + 1) =>
    store.changing(read, "AccountCredited", { amount: 1 }, { balance });
  const versions = async (accountId: string) =>
    (await store.events(accountId)).map(({ version, type }) => `${version} ${type}`);
  /** Everything there is of some accounts. */
  const everything = (ids: string[]) =>
    Promise.all(ids.map(async (id) => [(await store.find(id)) ?? null, await store.events(id)]));

  return { store: () => store, commit, found, opened, crediting, versions, everything };
}
