import type { Pool, PoolClient } from "pg";
import { codedError, errorCode } from "../function/coded-error";
import { CONNECTION_LOST } from "../store/retries";

/** SQLSTATEs with which a server, or a pooler before it, ends a connection: connection exceptions, operator intervention. */
const CONNECTION_ENDED = /^(08|57P)/;

/**
 * Lets every statement of a pool that loses its connection fail with CONNECTION_LOST, whatever broke it: whether the server has run
 * the statement is not known then. A connection that could not be made keeps its own error: nothing was sent.
 */
export function tellLostConnections(pool: Pool): Pool {
  pool.on("connect", (client: PoolClient) => {
    let broken: Error | undefined;
    // The pool listens to connections that are idle; without a listener one that breaks while it is in use would end the process.
    client.on("error", (error) => {
      broken = error;
    });
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const told = (error: unknown) => {
      const isAnswer = typeof (error as { severity?: unknown }).severity === "string";
      const isLost = isAnswer ? CONNECTION_ENDED.test(errorCode(error) ?? "") : broken !== undefined;
      throw isLost ? connectionLost(error) : error;
    };
    const telling = (...args: unknown[]) => {
      const result = query(...args);
      return result instanceof Promise ? result.catch(told) : result;
    };
    // All of pg's overloads pass through.
    client.query = telling as typeof client.query;
  });
  return pool;
}

function connectionLost(cause: unknown) {
  const { message } = cause as Error;
  return codedError(
    CONNECTION_LOST,
    `The connection to the database broke before it answered: ${message}. What was not committed is rolled back; try again.`,
    { cause },
  );
}
