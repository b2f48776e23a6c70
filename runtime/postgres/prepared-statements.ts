import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { errorCode } from "../function/coded-error";

/** Different statement texts that are prepared per connection; a program has some dozens, and each holds memory on the server. */
const MAX_PREPARED_STATEMENTS = 200;

/** SQLSTATE: feature_not_supported, here "cached plan must not change result type". */
const RESULT_TYPE_CHANGED = "0A000";

/**
 * Lets every connection of a pool prepare each statement text once and then run it by name: parsing and planning are most of what a
 * small statement costs the server (`npm run bench` shows the ratio).
 */
export function prepareStatements(pool: Pool): Pool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known ?? names.size >= MAX_PREPARED_STATEMENTS) return known;
    // The same text has the same name in every process, so that a pooler in between cannot mix two up.
    const name = createHash("sha256").update(text).digest("hex").slice(0, 32);
    names.set(text, name);
    return name;
  };
  pool.on("connect", (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    // A migration that adds a column makes "select *" unusable under its name, on this connection and for good.
    const outdated = new Set<string>();
    const runPrepared = async (name: string, text: string, values: unknown[]) => {
      try {
        return await query({ name, text, values });
      } catch (error) {
        if (errorCode(error) !== RESULT_TYPE_CHANGED) throw error;
        outdated.add(text);
        // Nothing was run. A transaction is lost all the same; its next attempt finds the statement outdated.
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
