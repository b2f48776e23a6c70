/** A database with the accounts and order lines of test/support, as the application sees it. */
import { Kysely, PostgresDialect } from "kysely";
import { type Client, Pool, type PoolClient } from "pg";
import { afterAll, expect } from "vitest";
import type { KyselyHandle } from "../../../runtime/define/handles";
import { registerContracts } from "../../../runtime/postgres/contracts";
import { typeParsers } from "../../../runtime/postgres/json";
import { kyselyHandle, storeOn } from "../../../runtime/postgres/store";
import type { AnyDatabase } from "../../../runtime/postgres/statement";
import type { Store } from "../../../runtime/store/store";
import { accounts, ACCOUNTS_SQL } from "../domain/account";
import { ORDER_LINES_SQL, orderLines } from "../domain/order-line";
import { connect, freshDatabase, type FreshDatabase } from "./postgres";

/** A row of the outbox. */
export interface OutboxRow {
  id: string;
  aggregate: string;
  aggregate_version: number;
  type: string;
  schema_version: number;
  payload: { change: unknown; state: Record<string, unknown> | null };
  correlation_id: string;
  causation_id: string | null;
  traceparent: string | null;
}

/** The database of a test file. */
export interface BankDatabase {
  database: FreshDatabase;
  /** Connected in the application's role, with up to ten connections. */
  db: Kysely<AnyDatabase>;
  /** The store of a function, on `db`. */
  store: Store;
  accounts: KyselyHandle<"accounts", typeof accounts>;
  /** Every statement that was sent through `db`, in order; each is a round trip. */
  statements: string[];
  /** Connected as superuser. */
  admin: Client;
  /** Events of an aggregate, oldest first. */
  events(aggregateId: string): Promise<OutboxRow[]>;
  /** The current row of an account. */
  account(accountId: string): Promise<Record<string, unknown> | undefined>;
  /** Removes the events of an aggregate, as retention does later. */
  forgetEvents(aggregateId: string): Promise<void>;
  /** Whether the inbox has a record of the message. */
  processed(messageId: string): Promise<boolean>;
  /** Resolves when this number of connections to the database waits for a lock. @default 1 */
  untilBlocked(connections?: number): Promise<void>;
}

/** Creates a database with accounts; it is dropped after the test file. */
export async function bankDatabase(): Promise<BankDatabase> {
  const database = await freshDatabase();
  const admin = await connect(database.url);
  await admin.query(ACCOUNTS_SQL + ORDER_LINES_SQL);
  await registerContracts(admin, [
    { domain: "bank", name: "accounts", definition: accounts },
    { domain: "sales", name: "order_lines", definition: orderLines },
  ]);
  const { db, statements } = applicationConnection(database);
  // Sequentially: a connection runs one statement at a time.
  let last: Promise<unknown> = Promise.resolve();
  const rows = async (text: string, ...values: unknown[]) => {
    const result = last.then(() => admin.query(text, values));
    last = result.catch(() => undefined);
    return (await result).rows as unknown[];
  };
  return {
    database,
    db,
    store: storeOn(db),
    statements,
    admin,
    // The handle that commands receive, with its type.
    accounts: kyselyHandle(db, "accounts", accounts) as unknown as BankDatabase["accounts"],
    events: async (id) =>
      (await rows(
        "select * from outbox where aggregate_id = $1 order by aggregate_version",
        id,
      )) as OutboxRow[],
    account: async (id) =>
      (await rows("select * from accounts where account_id = $1", id))[0] as
        Record<string, unknown> | undefined,
    async forgetEvents(id) {
      await admin.query("alter table outbox disable trigger outbox_keep_young");
      await admin.query("delete from outbox where aggregate_id = $1", [id]);
      await admin.query("alter table outbox enable always trigger outbox_keep_young");
    },
    processed: async (id) => (await rows("select from inbox where message_id = $1", id)).length > 0,
    async untilBlocked(connections = 1) {
      const blocked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect
        .poll(async () => (await rows(blocked)).length, { timeout: 30_000 })
        .toBeGreaterThanOrEqual(connections);
    },
  };
}

/**
 * Connects as the application's role; closed after the test file.
 *
 * @param settings of each connection, e.g. `{ default_transaction_isolation: "serializable" }`
 */
export function applicationConnection(database: FreshDatabase, settings: Record<string, string> = {}) {
  const options = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`,
  );
  const { url } = database.as("monolith_application");
  const pool = new Pool({ connectionString: url, max: 10, types: typeParsers(), options: options.join(" ") });
  const statements: string[] = [];
  pool.on("connect", (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const recording = (text: string, ...rest: unknown[]) => {
      statements.push(text);
      return query(text, ...rest);
    };
    // Kysely uses this overload only.
    client.query = recording as unknown as typeof client.query;
  });
  pool.on("error", () => undefined);
  const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool }) });
  afterAll(() => db.destroy());
  return { db, statements };
}
