import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { errorCode } from "../function/coded-error";
import { log } from "../function/log";

/**
 * Statement texts that are prepared per connection; a program has some dozens, and each takes memory on the
 * server.
 */
const MAX_PREPARED_STATEMENTS = 200;

/** SQLSTATE: feature_not_supported, here "cached plan must not change result type". */
const RESULT_TYPE_CHANGED = "0A000";
/**
 * SQLSTATEs: invalid_sql_statement_name, duplicate_prepared_statement. The connection has lost what it had
 * prepared (DISCARD ALL), or a pooler in transaction mode gives each transaction another one.
 */
const STATEMENT_LOST = ["26000", "42P05"];
/** Losses of a pool after which it prepares nothing any more: it is behind such a pooler. */
const MAX_LOSSES = 2;

/**
 * Makes every connection of a pool prepare each statement text once and then run it by name: parsing and
 * planning are most of the server's cost of a small statement (`npm run bench` shows the ratio). Where prepared
 * statements do not last, as behind PgBouncer in transaction mode, it stops preparing.
 */
export function prepareStatements(pool: Pool): Pool {
  const names = new Map<string, string>();
  let losses = 0;
  const nameOf = (text: string): string | undefined => {
    if (losses >= MAX_LOSSES) return undefined;
    const known = names.get(text);
    if (known ?? names.size >= MAX_PREPARED_STATEMENTS) return known;
    // A text has the same name in every process, so that a pooler in between cannot mix two texts up.
    const name = createHash("sha256").update(text).digest("hex").slice(0, 32);
    names.set(text, name);
    return name;
  };
  const lost = () => {
    losses += 1;
    if (losses !== MAX_LOSSES) return;
    log(
      "warn",
      "Prepared statements do not last, as behind a pooler in transaction mode. None are prepared now",
    );
  };
  pool.on("connect", (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    // A migration that adds a column makes a prepared "select *" permanently unusable on this connection.
    const outdated = new Set<string>();
    const runPrepared = async (name: string, text: string, values: unknown[]) => {
      try {
        return await query({ name, text, values });
      } catch (error) {
        const code = errorCode(error) ?? "";
        if (code !== RESULT_TYPE_CHANGED && !STATEMENT_LOST.includes(code)) throw error;
        if (code !== RESULT_TYPE_CHANGED) lost();
        outdated.add(text);
        // Nothing was run. A transaction is lost anyway; its next attempt finds the statement outdated.
        if (client.getTransactionStatus() !== "I") throw error;
        return query(text, values);
      }
    };
    const named = (text: unknown, values: unknown, ...rest: unknown[]) => {
      const isStatement = typeof text === "string" && Array.isArray(values) && values.length > 0;
      const name = isStatement && !outdated.has(text) ? nameOf(text) : undefined;
      if (!isStatement || !name) return query(text, values, ...rest);
      return rest.length > 0 ? query({ name, text, values }, ...rest) : runPrepared(name, text, values);
    };
    // One of pg's overloads is replaced; the others pass through unchanged.
    client.query = named as typeof client.query;
  });
  return pool;
}
