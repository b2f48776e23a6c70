import { v7 as uuid } from "uuid";
import { beforeAll, expect } from "vitest";
import type { StagedChange } from "../../runtime";
import type { CommitContext, Store } from "../../runtime/store/store";
import {
  accountChanges,
  type AccountHandle,
  accounts,
  type NewAccount,
  type ReadAccount,
} from "../support/domain/account";

/** An event in the outbox. */
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

/** A store under test, with the accounts of test/support/domain/account.ts. */
export interface StoreUnderTest {
  /** The store, as a function of the domain opens it. */
  store: Store;
  /** The handle that describes changes. @default the store's own */
  accounts?: AccountHandle;
  /** The events of an account, oldest first. */
  events(accountId: string): Promise<WrittenEvent[]>;
  /** Whether the inbox has a record of a consumer and a message. */
  isProcessed(consumer: string, messageId: string): Promise<boolean>;
}

/** A store with helpers for the suites. */
export interface Bank extends ReturnType<typeof accountChanges> {
  /** Available once the first test begins. */
  store(): Store;
  /** The handle of the accounts, as commands receive it. */
  accounts(): AccountHandle;
  commit(changes: StagedChange[], context?: Partial<CommitContext>): ReturnType<Store["commit"]>;
  events: StoreUnderTest["events"];
  isProcessed: StoreUnderTest["isProcessed"];
  /** Opens an account and reads it. */
  opened(more?: Omit<Partial<NewAccount>, "accountId">): Promise<ReadAccount>;
  /** "<version> <event type>" of each event. */
  versions(accountId: string): Promise<string[]>;
  /** The rows and events of some accounts. */
  everything(ids: string[]): Promise<unknown[]>;
}

export const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
export const once = (messageId: string, consumer = "bank.commands") => ({ once: { consumer, messageId } });

/** Opens the store before the first test. */
export function bankOf(makeStore: () => StoreUnderTest | Promise<StoreUnderTest>): Bank {
  let underTest: StoreUnderTest;
  let handle: AccountHandle;
  beforeAll(async () => {
    underTest = await makeStore();
    // As `HandlesOf` types it for commands.
    handle = underTest.accounts ?? (underTest.store.handles({ accounts })["accounts"] as AccountHandle);
  });
  const changes = accountChanges(() => handle);
  const commit: Bank["commit"] = (staged, context = {}) =>
    underTest.store.commit(staged, { correlationId: "request-1", ...context });
  const events = (accountId: string) => underTest.events(accountId);
  return {
    ...changes,
    store: () => underTest.store,
    accounts: () => handle,
    commit,
    events,
    isProcessed: (consumer, messageId) => underTest.isProcessed(consumer, messageId),
    async opened(more = {}) {
      const accountId = uuid();
      expect(await commit([changes.opening(accountId, more)])).toMatchObject({ outcome: "committed" });
      return handle.get(accountId);
    },
    versions: async (accountId) => (await events(accountId)).map(({ version, type }) => `${version} ${type}`),
    everything: (ids) =>
      Promise.all(ids.map(async (id) => [(await handle.find(id)) ?? null, await events(id)])),
  };
}
