import { EventEmitter } from "node:events";
import type { Pool, PoolClient } from "pg";
import { describe, expect, test, vi } from "vitest";
import { prepareStatements } from "../../../runtime/postgres/prepared-statements";

/** A pool that has opened one connection, and what that connection's own `query` was called with. */
function connected(pool = new EventEmitter()) {
  const query = vi.fn(async (..._args: unknown[]) => ({ rows: [] }));
  const client = { query } as unknown as PoolClient;
  // The pool needs only to be an emitter here.
  if (pool.listenerCount("connect") === 0) prepareStatements(pool as unknown as Pool);
  pool.emit("connect", client);
  const calls = () => query.mock.calls;
  return { pool, client, calls };
}

describe("a statement with parameters", () => {
  test("is run by a name of its own, the same every time and on every connection", async () => {
    const { pool, client, calls } = connected();
    const other = connected(pool);
    await client.query("select $1::int", [1]);
    await client.query("select $1::int", [2]);
    await client.query("select $1::text", ["x"]);
    await other.client.query("select $1::int", [3]);
    const [first, second, third] = calls().map(([config]) => config as { name: string });
    expect(first).toEqual({
      name: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      text: "select $1::int",
      values: [1],
    });
    expect(second).toEqual({ ...first, values: [2] });
    expect(third!.name).not.toBe(first!.name);
    expect(other.calls()[0]![0]).toEqual({ ...first, values: [3] });
  });

  test("is passed on as it is once 200 texts are prepared, so that the server's memory is bounded", async () => {
    const { client, calls } = connected();
    for (let index = 0; index <= 200; index += 1) await client.query(`select $1::int + ${index}`, [1]);
    await client.query("select $1::int + 7", [1]);
    expect(calls()[199]![0]).toHaveProperty("name");
    expect(calls()[200]).toEqual(["select $1::int + 200", [1]]);
    expect(calls()[201]![0]).toHaveProperty("name");
  });

  test("passes a callback on", () => {
    const { client, calls } = connected();
    const done = () => undefined;
    client.query("select $1::int", [1], done);
    expect(calls()[0]).toEqual([expect.objectContaining({ values: [1] }), done]);
  });
});

describe("passed on as it is", () => {
  test.each([
    ["a statement without parameters", ["begin"]],
    ["a statement with an empty list of parameters", ["begin", []]],
    ["a query object", [{ text: "select $1::int", values: [1] }]],
  ])("%s", async (_, args) => {
    const { client, calls } = connected();
    await (client.query as (...args: unknown[]) => Promise<unknown>)(...args);
    expect(calls()[0]!.slice(0, args.length)).toEqual(args);
    expect(
      calls()[0]!
        .slice(args.length)
        .every((arg) => arg === undefined),
    ).toBe(true);
  });
});
