import type { Socket } from "node:net";
import type { Pool, PoolClient } from "pg";
import { codedError, errorCode } from "../function/coded-error";
import { log } from "../function/log";
import { CONNECTION_LOST } from "../store/retries";
import { timedOut } from "../function/time-left";
import { type Deadlines, timeLeft } from "./deadlines";

/**
 * SQLSTATEs with which a server, or a pooler in front of it, ends a connection: connection exceptions,
 * operator intervention.
 */
const CONNECTION_ENDED = /^(08|57P)/;

/**
 * SQLSTATEs that are about the statement, so that its connection can go on: refused values, constraints,
 * lost races, limits, locks, errors that a function raises, and the framework's own. Any other may mean that the
 * connection cannot do its work: it is read-only after a failover, has lost its prepared statements, or has
 * another role, search path or time limit.
 */
const ABOUT_THE_STATEMENT = /^(21|22|23|40|44|54|P0|DC|55P03$)/;

/**
 * How long a statement may take for the client. It is longer than the server's own limit, which a server that
 * hangs or a connection that is silently dead does not apply.
 */
const ANSWER_MILLISECONDS = 12_000;

/** The parts of pg's client that its types do not show. */
interface Connected {
  connection: { stream: Socket; on(event: "parameterStatus", listen: (status: Status) => void): void };
}
interface Status {
  parameterName: string;
  parameterValue: string;
}

/**
 * Watches the connections of a pool, so that none stays in it that can no longer do its work, whatever the
 * reason:
 *
 * - A statement that loses its connection fails with CONNECTION_LOST, whatever broke it: whether the server ran
 *   the statement is then unknown. A connection that could not be opened keeps its own error, because nothing was
 *   sent.
 * - A statement that is not answered in time loses its connection.
 * - A connection is closed when it is released after an error that may be its own fault, with an open
 *   transaction, or after the server reported that a setting of the session has changed.
 *
 * @param deadlines bounds the statements of the work that is running
 */
export function watchConnections(pool: Pool, deadlines?: Deadlines): Pool {
  const unusable = new WeakSet<PoolClient>();
  pool.on("release", (_: unknown, client: PoolClient) => {
    if (client.getTransactionStatus() !== "I") unusable.add(client);
    // The pool removes a connection that is ending when it is released.
    if (unusable.has(client)) void client.end().catch(() => {});
  });
  pool.on("connect", (client: PoolClient) => {
    const { connection } = client as unknown as Connected;
    const settings = new Map<string, string>();
    connection.on("parameterStatus", ({ parameterName, parameterValue }) => {
      const known = settings.get(parameterName);
      if (known !== undefined && known !== parameterValue) unusable.add(client);
      settings.set(parameterName, parameterValue);
    });
    let broken: Error | undefined;
    // The pool listens only to idle connections. Without a listener, one that breaks while in use would end
    // the process.
    client.on("error", (error) => {
      broken ??= error;
    });
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const failed = (error: unknown) => {
      const code = errorCode(error) ?? "";
      const isAnswer = typeof (error as { severity?: unknown }).severity === "string";
      const isLost = isAnswer ? CONNECTION_ENDED.test(code) : broken !== undefined;
      if (isLost || (isAnswer && !ABOUT_THE_STATEMENT.test(code))) {
        unusable.add(client);
        log("warn", "A database connection is replaced", { code: isLost ? CONNECTION_LOST : code });
      }
      throw isLost ? connectionLost(broken ?? error) : error;
    };
    const inTime = async (milliseconds: number, statement: Promise<unknown>) => {
      const timer = setTimeout(() => {
        broken ??= new Error(`no answer within ${Math.round(milliseconds)} ms`);
        // Nothing more can be sent after a statement that is not answered.
        connection.stream.destroy();
      }, milliseconds);
      return statement.catch(failed).finally(() => clearTimeout(timer));
    };
    const watching = (...args: unknown[]) => {
      const left = timeLeft(deadlines);
      // The connection itself is fine, unless it has a transaction open: then it is closed at its release.
      if (left <= 0) return Promise.reject(timedOut());
      const result = query(...args);
      return result instanceof Promise ? inTime(Math.min(left, ANSWER_MILLISECONDS), result) : result;
    };
    // All of pg's overloads pass through.
    client.query = watching as typeof client.query;
  });
  return pool;
}

function connectionLost(cause: unknown) {
  const { message } = cause as Error;
  return codedError(
    CONNECTION_LOST,
    `The connection to the database broke before it answered: ${message}. Anything uncommitted is rolled back; try again.`,
    { cause },
  );
}
