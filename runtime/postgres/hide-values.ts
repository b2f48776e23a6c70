import type { Pool, PoolClient } from "pg";
import { isDatabaseError, withoutValues } from "../function/private-values";

/**
 * Makes every statement of a pool fail with errors that quote no row and no value, however a domain's own code
 * reads or reports them.
 */
export function hideValues(pool: Pool): Pool {
  pool.on("connect", (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const hiding = (...args: unknown[]) => {
      const callback = args.at(-1);
      // pool.query passes a callback.
      if (typeof callback === "function") {
        const call = callback as (error: unknown, ...more: unknown[]) => void;
        return query(...args.slice(0, -1), (error: unknown, ...more: unknown[]) =>
          call(hidden(error), ...more),
        );
      }
      const result = query(...args);
      if (!(result instanceof Promise)) return result;
      return result.catch((error: unknown) => {
        throw hidden(error);
      });
    };
    // All of pg's overloads pass through.
    client.query = hiding as typeof client.query;
  });
  return pool;
}

function hidden(error: unknown): unknown {
  return isDatabaseError(error) ? withoutValues(error) : error;
}
