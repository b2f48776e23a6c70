import type { Pool } from "pg";
import { formatLsn, type Lsn, parseLsn } from "./lsn";
import type { ReplicationStream } from "./replication-stream";

/** How far a capture has come. */
export interface CapturePosition {
  /** Everything up to here is on the stream, in PostgreSQL's notation, e.g. "0/16B3748". */
  confirmed: string;
  /** Data records put on the stream since the start, duplicates included. */
  records: number;
  /** Whether the database's log is being read at the moment. */
  connected: boolean;
}

/** A position that the capture moves. */
export interface MutablePosition {
  current(): CapturePosition;
  confirmed(): Lsn;
  confirm(lsn: Lsn): void;
  count(records: number): void;
  connected(connected: boolean): void;
  /** Resolves with whether `lsn` was confirmed within the time. */
  reaches(lsn: Lsn, milliseconds: number): Promise<boolean>;
}

/** A capture that has not read anything. */
export function startPosition(): MutablePosition {
  let confirmed = 0n;
  let records = 0;
  let connected = false;
  const waiting = new Set<() => void>();
  return {
    current: () => ({ confirmed: formatLsn(confirmed), records, connected }),
    confirmed: () => confirmed,
    confirm(lsn) {
      if (lsn > confirmed) confirmed = lsn;
      for (const look of waiting) look();
    },
    count: (more) => void (records += more),
    connected: (now) => void (connected = now),
    reaches: (lsn, milliseconds) =>
      new Promise((resolve) => {
        const answer = (reached: boolean): void => {
          clearTimeout(timeout);
          waiting.delete(look);
          resolve(reached);
        };
        const look = (): void => {
          if (confirmed >= lsn) answer(true);
        };
        const timeout = setTimeout(() => answer(false), milliseconds);
        waiting.add(look);
        look();
      }),
  };
}

/** Whether what was committed until now is on the stream. */
export async function caughtUp(
  pool: Pool,
  position: MutablePosition,
  stream: () => ReplicationStream | undefined,
): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ lsn: string }>("select pg_current_wal_flush_lsn() as lsn");
    const committed = parseLsn(rows[0]?.lsn ?? "");
    if (committed === undefined) return false;
    // The server tells by itself how far it has read only now and then.
    stream()?.askProgress();
    return await position.reaches(committed, ANSWER_MILLISECONDS);
  } catch {
    return false; // no database at the moment
  }
}

const ANSWER_MILLISECONDS = 500;
