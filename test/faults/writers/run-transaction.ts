import { Client } from "pg";
import { errorCode } from "../../../runtime/function/coded-error";
import type { SqlRequest } from "../../verdict/writers-journal";
import type { Operation } from "./operations";

type Transaction = Extract<Operation, { kind: "sql" }>;

/** SQLSTATEs of a transaction that the server itself rolled back: a deadlock, a lost race, a unique violation, the guard's word. */
const ROLLED_BACK = ["40P01", "40001", "23505", "DC001"];

/**
 * Relocates several customers in one transaction of raw SQL, as legacy code beside the runtime may: with their outbox rows (committed
 * or rolled back), or without them, which the guard has to refuse.
 */
export async function runTransaction(operation: Transaction, connectionString: string): Promise<SqlRequest> {
  const { transactionId, how } = operation;
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  // What ends the connection is told by the statement that runs.
  client.on("error", () => undefined);
  let isEnding = false;
  try {
    await client.connect();
    await client.query("begin");
    const changed = await relocate(client, operation);
    if (operation.firstMovesOnTo !== undefined) {
      const customerIds = operation.customerIds.slice(0, 1);
      await relocate(client, { ...operation, customerIds, city: operation.firstMovesOnTo });
    }
    isEnding = true;
    await client.query(how === "rolledBack" ? "rollback" : "commit");
    // A transaction without a change has nothing that the guard could refuse, and leaves no trace either way.
    if (changed === 0) return { kind: "sql", transactionId, expected: "rolledBack" };
    return { kind: "sql", transactionId, expected: how === "refused" ? "refused" : how };
  } catch (error) {
    const isRolledBack = !isEnding || how !== "committed" || ROLLED_BACK.includes(errorCode(error) ?? "");
    if (how === "refused") return { kind: "sql", transactionId, expected: "refused" };
    return { kind: "sql", transactionId, expected: isRolledBack ? "rolledBack" : "unknown" };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @returns how many customers were there to be relocated */
async function relocate(
  client: Client,
  { transactionId, how, customerIds, city }: Transaction,
): Promise<number> {
  const { rows } = await client.query<{ customer_id: string; version: number; former: string }>(
    `with former as (select customer_id, city from customers where customer_id = any($1) for update)
     update customers set city = $2, version = version + 1 from former where customers.customer_id = former.customer_id
     returning customers.customer_id, customers.version, former.city as former`,
    [customerIds, city],
  );
  if (how === "refused") return rows.length;
  for (const { customer_id: id, version, former } of rows) {
    await client.query(
      `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
       select gen_random_uuid(), 'customers.Customer', customer_id, $2, 'CustomerRelocated', 1, jsonb_build_object(
         'change', jsonb_build_object('from', $3::text, 'to', city),
         'state', jsonb_build_object('customerId', customer_id, 'name', name, 'email', email, 'city', city)), $4
       from customers where customer_id = $1`,
      [id, version, former, transactionId],
    );
  }
  return rows.length;
}
