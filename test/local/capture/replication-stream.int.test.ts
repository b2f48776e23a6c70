import type { Client } from "pg";
import { beforeAll, expect, test } from "vitest";
import { openReplicationStream } from "../../../dist/local/capture/replication-stream.js";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres/postgres.js";

let database: FreshDatabase;
let slot: string;
let first: Client;
let second: Client;
let number = 0;

beforeAll(async () => {
  database = await freshDatabase({ slot: true });
  slot = `${database.name}_outbox`;
  first = await connect(database.url);
  second = await connect(database.url);
  await first.query("create table numbers (n integer primary key)");
});

/** Two transactions whose commits are adjacent in the log. */
async function commitTogether(): Promise<[number, number]> {
  const numbers: [number, number] = [++number, ++number];
  await Promise.all([first.query("begin"), second.query("begin")]);
  await first.query("insert into numbers values ($1)", [numbers[0]]);
  await second.query("insert into numbers values ($1)", [numbers[1]]);
  await Promise.all([first.query("commit"), second.query("commit")]);
  return numbers;
}

/** Reads until the server has nothing more. @param acknowledge how many of the commits are acknowledged */
async function read(acknowledge: number): Promise<number[]> {
  const numbers: number[] = [];
  const commits: bigint[] = [];
  let finished = (): void => {};
  const everything = new Promise<void>((resolve) => (finished = resolve));
  const { rows } = await first.query<{ lsn: string }>(
    "select pg_current_wal_flush_lsn() - '0/0'::pg_lsn as lsn",
  );
  const end = BigInt(rows[0]?.lsn ?? 0);
  const stream = await openReplicationStream({ connectionString: database.url }, slot, {
    isWanted: () => true,
    message(lsn, text) {
      const inserted = /INSERT: n\[integer\]:(\d+)/.exec(text)?.[1];
      if (inserted !== undefined) numbers.push(Number(inserted));
      if (text.startsWith("COMMIT")) commits.push(lsn);
    },
    progress: (lsn) => lsn >= end && finished(),
    closed: () => {},
  });
  stream.askProgress();
  await everything;
  const last = commits[acknowledge - 1];
  if (last !== undefined) stream.acknowledge(last);
  await stream.close();
  return numbers;
}

test("what is not acknowledged is sent again", async () => {
  const numbers = await commitTogether();
  expect((await read(0)).sort()).toEqual(numbers);
  expect((await read(2)).sort()).toEqual(numbers);
  expect(await read(0)).toEqual([]);
});

test("acknowledging one commit does not acknowledge the adjacent one", async () => {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    await commitTogether();
    const [, next] = await read(1);
    expect(await read(1)).toEqual([next]);
  }
});

test("a stream that is closed releases its slot at once", async () => {
  await read(0);
  const { rows } = await first.query("select active from pg_replication_slots where slot_name = $1", [slot]);
  expect(rows).toEqual([{ active: false }]);
});

test("a slot that does not exist is PostgreSQL's error", async () => {
  const listener = { isWanted: () => true, message: () => {}, progress: () => {}, closed: () => {} };
  await expect(
    openReplicationStream({ connectionString: database.url }, "nothing", listener),
  ).rejects.toMatchObject({ code: "42704" });
});
