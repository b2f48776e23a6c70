import { Client } from "pg";
import { errorCode } from "../../../runtime/function/coded-error";
import type { SqlRequest } from "../../verdict/writers-journal";
import type { SqlOperation } from "./operation";

/** SQLSTATEs of a transaction that the server itself rolled back: a deadlock, a lost race, a unique violation, the guard. */
const ROLLED_BACK = ["40P01", "40001", "23505", "DC001"];

/** Runs a transaction of raw SQL, as legacy code beside the runtime may, and notes what is known of its end. */
export async function runTransaction(operation: SqlOperation, connectionString: string): Promise<SqlRequest> {
  const { transactionId, how } = operation;
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  // What breaks the connection is reported by the statement that runs.
  client.on("error", () => undefined);
  let isEnding = false;
  try {
    await client.connect();
    await client.query("begin");
    const changed = await operation.change(client);
    isEnding = true;
    await client.query(how === "rolledBack" ? "rollback" : "commit");
    // A transaction without a change has nothing that the guard could refuse, and leaves no trace either way.
    if (changed === 0) return { kind: "sql", transactionId, expected: "rolledBack" };
    return { kind: "sql", transactionId, expected: how };
  } catch (error) {
    const isRolledBack = !isEnding || how !== "committed" || ROLLED_BACK.includes(errorCode(error) ?? "");
    if (how === "refused") return { kind: "sql", transactionId, expected: "refused" };
    return { kind: "sql", transactionId, expected: isRolledBack ? "rolledBack" : "unknown" };
  } finally {
    await client.end().catch(() => undefined);
  }
}
