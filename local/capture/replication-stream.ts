import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Client, type ClientConfig, escapeIdentifier } from "pg";
import type { Lsn } from "./lsn";

/** What a stream calls, in the order of the log. */
export interface ReplicationListener {
  /** Whether a message, in UTF-8, is to be decoded and passed on: one of another table may be of any size. */
  isWanted(message: Buffer): boolean;
  /** @param lsn of a commit: the end of its record, which is what to acknowledge */
  message(lsn: Lsn, text: string): void;
  /** The server has sent everything up to here. */
  progress(lsn: Lsn): void;
  /** The stream has ended; not called after `close`. */
  closed(error: Error | undefined): void;
}

/** An open stream of a logical replication slot. */
export interface ReplicationStream {
  /** Confirms everything up to here to the server, which will not send it again. */
  acknowledge(lsn: Lsn): void;
  /** Asks the server to report its progress now. */
  askProgress(): void;
  pause(): void;
  resume(): void;
  /** Sends what is acknowledged and releases the slot. */
  close(): Promise<void>;
}

/**
 * Starts reading a slot with test_decoding, from its confirmed position on, through the replication protocol.
 *
 * Built on pg's connection, since pg-logical-replication 2.5.0 may lose events: docs/decisions/0005-capture-over-pg.md.
 *
 * @throws PostgreSQL's and Node's errors
 */
export async function openReplicationStream(
  config: ClientConfig,
  slotName: string,
  listener: ReplicationListener,
): Promise<ReplicationStream> {
  const client = new Client({ ...config, replication: "database" } as ClientConfig);
  const wire = wireOf(client);
  let acknowledged = 0n;
  let open = false;
  const end = (error?: Error): void => {
    if (!open) return;
    open = false;
    clearInterval(timer);
    listener.closed(error);
  };
  // The server ends connections that are silent for wal_sender_timeout (60 s).
  const timer = setInterval(() => sendStatus(false), STATUS_MILLISECONDS);
  const sendStatus = (askReply: boolean): void => {
    if (open && wire.stream.writable) wire.sendCopyFromChunk(statusUpdate(acknowledged, askReply));
  };
  try {
    // Until the stream is open, errors come from connecting or from the query below.
    client.on("error", end);
    await client.connect();
    const started = new Promise<void>((resolve) => wire.once("replicationStart", resolve));
    wire.on("copyData", ({ chunk }: { chunk: Buffer }) => receive(chunk, listener, sendStatus));
    const reading = client.query(
      `START_REPLICATION SLOT ${escapeIdentifier(slotName)} LOGICAL 0/0 ` +
        `("include-xids" 'on', "include-timestamp" 'on', "skip-empty-xacts" 'on')`,
    );
    await Promise.race([started, reading]);
    open = true;
    const over = reading.then(
      () => end(),
      (error: Error) => end(error),
    );
    return {
      acknowledge(lsn) {
        if (lsn > acknowledged) acknowledged = lsn;
        sendStatus(false);
      },
      askProgress: () => sendStatus(true),
      pause: () => void wire.stream.pause(),
      resume: () => void wire.stream.resume(),
      async close() {
        sendStatus(false);
        open = false;
        clearInterval(timer);
        wire.stream.resume();
        // CopyDone: the server ends the stream after it has read the last status.
        if (wire.stream.writable) wire.endCopyFrom();
        let timeout: NodeJS.Timeout | undefined;
        await Promise.race([
          over,
          new Promise((resolve) => (timeout = setTimeout(resolve, CLOSE_MILLISECONDS))),
        ]);
        clearTimeout(timeout);
        await client.end().catch(() => {});
      },
    };
  } catch (error) {
    clearInterval(timer);
    await client.end().catch(() => {});
    throw error;
  }
}

const STATUS_MILLISECONDS = 10_000;
const CLOSE_MILLISECONDS = 2_000;
const MICROSECONDS_FROM_1970_TO_2000 = 946_684_800_000_000n;
/** Bytes before the payload of an XLogData message: kind, start, end, time. */
const DATA_HEADER_BYTES = 25;

/** The part of pg's internal connection that speaks the replication protocol. */
interface Wire extends EventEmitter {
  stream: Socket;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

function wireOf(client: Client): Wire {
  const { connection } = client as unknown as { connection?: Wire };
  if (connection instanceof EventEmitter && typeof connection.sendCopyFromChunk === "function")
    return connection;
  throw new Error(
    "This version of pg has no connection that speaks the replication protocol. Install the pinned version",
  );
}

function receive(
  chunk: Buffer,
  listener: ReplicationListener,
  sendStatus: (askReply: boolean) => void,
): void {
  const kind = String.fromCharCode(chunk[0] ?? 0);
  const lsn = chunk.readBigUInt64BE(1);
  if (kind === "w") {
    const message = chunk.subarray(DATA_HEADER_BYTES);
    if (listener.isWanted(message)) listener.message(lsn, message.toString("utf8"));
  }
  if (kind !== "k") return;
  listener.progress(lsn);
  if (chunk[17] === 1) sendStatus(false);
}

/** Standby status update: written, flushed and applied up to `lsn`, exactly. */
function statusUpdate(lsn: Lsn, askReply: boolean): Buffer {
  const update = Buffer.alloc(34);
  update.write("r", 0, "latin1");
  for (const offset of [1, 9, 17]) update.writeBigUInt64BE(lsn, offset);
  update.writeBigInt64BE(BigInt(Date.now()) * 1000n - MICROSECONDS_FROM_1970_TO_2000, 25);
  update[33] = askReply ? 1 : 0;
  return update;
}
