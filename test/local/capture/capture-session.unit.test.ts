import { expect, test } from "vitest";
import { openSession, type CaptureState } from "../../../dist/local/capture/capture-session.js";
import type { DmsRecord } from "../../../dist/local/capture/encode-dms-record.js";
import type { ReplicationStream } from "../../../dist/local/capture/replication-stream.js";
import { decodeDmsRecord } from "../../../runtime/relay/kinesis-relay";

/** Reads these messages as one session does. @returns what was put, what was acknowledged, and the lines */
async function read(messages: string[]) {
  const put: DmsRecord[] = [];
  const lines: string[] = [];
  const acknowledged: bigint[] = [];
  const stopping = new AbortController();
  const column = { name: "id", type: "uuid" } as const;
  const state = {
    settings: { partitionKeyColumn: "id", maxLobBytes: 1_000 },
    table: { schema: "public", name: "outbox", identifier: "public.outbox", columns: [column] },
    writer: {
      write: (records: DmsRecord[]) => {
        put.push(...records);
        return Promise.resolve([]);
      },
    },
    confirmed: 0n,
    previous: undefined,
    signal: stopping.signal,
    onRecord: () => undefined,
    report: (line: string) => lines.push(line),
    beforePut: undefined,
    beforeAcknowledge: undefined,
  } as unknown as CaptureState;
  const session = openSession(state);
  messages.forEach((message, index) => session.listener.message(BigInt(index + 1), message));
  session.listener.closed(undefined);
  return {
    session,
    put,
    lines,
    acknowledged,
    stream: { acknowledge: (lsn: bigint) => acknowledged.push(lsn) },
  };
}

test("a row of the captured table that cannot be read becomes a record that the relay quarantines, and the task goes on", async () => {
  const { session, put, lines, acknowledged, stream } = await read([]);
  const messages = [
    "BEGIN 7",
    "table public.outbox: INSERT: id[uuid]:'0198a5f0-0000-7000-8000-000000000001'",
    "table public.outbox: INSERT: id[uuid]:'not closed",
    "table public.outbox: MERGE: id[uuid]:'1'",
    "table public.outbox: INSERT: id[uuid]:'0198a5f0-0000-7000-8000-000000000002'",
    "COMMIT 7 (at 2024-07-29 00:58:17.97434+00)",
  ];
  messages.forEach((message, index) => session.listener.message(BigInt(index + 1), message));
  await session.run(stream as unknown as ReplicationStream);
  expect(put.map(({ partitionKey }) => partitionKey)).toEqual([
    "0198a5f0-0000-7000-8000-000000000001",
    "public.outbox",
    "public.outbox",
    "0198a5f0-0000-7000-8000-000000000002",
  ]);
  for (const record of put.slice(1, 3)) {
    expect(decodeDmsRecord(record.data)).toEqual({ kind: "undecodable", reason: "The record has no data." });
  }
  expect(lines).toEqual([
    "Cannot read a change at 0/3 (CAPTURE_UNREADABLE). The relay quarantines it",
    "Cannot read a change at 0/4 (CAPTURE_UNREADABLE). The relay quarantines it",
  ]);
  expect(acknowledged).toEqual([6n]);
});

test("a message outside of a transaction that cannot be read ends the task: it is not test_decoding's", async () => {
  const { session, stream } = await read(["BEGIN x"]);
  await expect(session.run(stream as unknown as ReplicationStream)).rejects.toMatchObject({
    code: "CAPTURE_UNREADABLE",
  });
});
