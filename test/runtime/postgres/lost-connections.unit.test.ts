import { EventEmitter } from "node:events";
import type { Pool } from "pg";
import { describe, expect, test, vi } from "vitest";
import { watchConnections } from "../../../runtime/postgres/connections";

/** A connection of the pool whose statements fail with this. */
function connected(failure: () => Error) {
  const pool = new EventEmitter();
  const query = vi.fn((..._: unknown[]): unknown => Promise.reject(failure()));
  const connection = Object.assign(new EventEmitter(), { stream: { destroy: () => undefined } });
  const client = Object.assign(new EventEmitter(), { query, connection });
  watchConnections(pool as unknown as Pool);
  pool.emit("connect", client);
  return { client, query };
}
/** As the server says it. */
const said = (code: string, severity = "ERROR") => Object.assign(new Error(code), { code, severity });
const ended = () => new Error("Connection terminated unexpectedly");

describe("a statement", () => {
  test("that was being run when its connection broke fails with a code, and keeps the cause", async () => {
    const { client } = connected(ended);
    const running = client.query("select 1");
    client.emit("error", ended());
    await expect(running).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      message:
        "The connection to the database broke before it answered: Connection terminated unexpectedly. Anything uncommitted is rolled back; try again.",
      cause: { message: "Connection terminated unexpectedly" },
    });
  });

  test.each(["57P01", "57P02", "57P03", "08006", "08P01"])(
    "whose connection the server or a pooler ends fails with that code too: %s",
    async (code) => {
      const { client } = connected(() => said(code, "FATAL"));
      await expect(client.query("select 1")).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    },
  );

  test.each(["23505", "40001", "57014", "DC001"])(
    "that the server refused keeps the server's error: %s",
    async (code) => {
      const { client } = connected(() => said(code));
      const running = client.query("select 1");
      client.emit("error", ended());
      await expect(running).rejects.toMatchObject({ code });
    },
  );

  test("that could not be made keeps its own error", async () => {
    const { client } = connected(() => new TypeError("Do not know how to serialize a BigInt"));
    await expect(client.query("select 1")).rejects.toThrow(TypeError);
  });

  test("that is run with a callback passes through unchanged", () => {
    const { client, query } = connected(ended);
    query.mockReturnValueOnce(undefined);
    const callback = () => undefined;
    const run = client.query as (...args: unknown[]) => unknown;
    expect(run("select 1", [], callback)).toBeUndefined();
    expect(query).toHaveBeenCalledExactlyOnceWith("select 1", [], callback);
  });
});

test("A connection that breaks while it is in use does not end the process", () => {
  const { client } = connected(ended);
  expect(() => client.emit("error", ended())).not.toThrow();
});
