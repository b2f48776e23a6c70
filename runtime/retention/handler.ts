import type { Context } from "aws-lambda";
import { codedError } from "../function/coded-error";
import { handler } from "../function/handler";
import { log } from "../function/log";
import { openPool, POOL_VARIABLES } from "../postgres/pool";
import { type OldEvents, removeOldEvents, removeOldInboxRecords } from "./old-rows";

/** Limits how fast old rows are removed. */
export interface RetentionPace {
  /** Rows per batch; each batch is a transaction. */
  batchRows: number;
  /** Bytes of the records that capture writes for a batch; a single row may exceed it. */
  batchBytes: number;
  /** Pause between two batches. */
  pauseMilliseconds: number;
}

/** The result of a run of retention. */
export interface RetentionResult {
  /** Rows removed from the outbox. */
  outbox: number;
  /** Records removed from the inbox. */
  inbox: number;
  /** False when the time was up before all old rows were removed; the next run continues. */
  finished: boolean;
}

/**
 * Half of what one Kinesis shard takes (1,000 records and 1 MiB a second), so that the other half is left for
 * events: capture writes a record for each removal too, which the relay ignores.
 */
export const RETENTION_PACE: RetentionPace = {
  batchRows: 500,
  batchBytes: 512 * 1024,
  pauseMilliseconds: 1_000,
};

/**
 * Time reserved for a last batch: two statements at their time limit (10 s each), a pause, and the answer.
 */
const RESERVE_MILLISECONDS = 25_000;

/**
 * Makes the handler that removes old rows of the monolith's outbox and inbox, batch by batch. If it is
 * killed, the running batch is rolled back and the next run continues.
 *
 * The function fails with OUTBOX_NOT_CAPTURED when it kept events that are old enough but not captured.
 */
export function makeRetentionHandler(pace: RetentionPace = RETENTION_PACE) {
  const variables = [...POOL_VARIABLES, "OUTBOX_RETENTION_DAYS", "INBOX_RETENTION_DAYS"] as const;
  return handler(
    variables,
    (environment) =>
      async (_event: unknown, context: Context): Promise<RetentionResult> => {
        const outboxDays = Number(environment.OUTBOX_RETENTION_DAYS);
        const inboxDays = Number(environment.INBOX_RETENTION_DAYS);
        const { batchRows, pauseMilliseconds } = pace;
        const limits = { rows: batchRows, bytes: pace.batchBytes };
        // It runs too rarely to keep a connection.
        const pool = await openPool(environment);
        try {
          const result = { outbox: 0, inbox: 0, finished: true };
          let blocked = false;
          for (;;) {
            const events: OldEvents = blocked ? NOTHING : await removeOldEvents(pool, outboxDays, limits);
            const records = await removeOldInboxRecords(pool, inboxDays, batchRows);
            result.outbox += events.removed;
            result.inbox += records;
            blocked ||= events.uncaptured > 0;
            if ((blocked || !events.more) && records < batchRows) break;
            if (context.getRemainingTimeInMillis() < RESERVE_MILLISECONDS) {
              result.finished = false;
              break;
            }
            await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
          }
          log("info", "Old rows removed", { ...result, blocked });
          if (blocked) throw notCaptured(outboxDays);
          return result;
        } finally {
          await pool.end();
        }
      },
  );
}

/** Used after a batch with events that are not captured: no further batch is removed from the outbox. */
const NOTHING: OldEvents = { removed: 0, uncaptured: 0, more: false };

function notCaptured(days: number) {
  return codedError(
    "OUTBOX_NOT_CAPTURED",
    `The outbox has events older than "${days}" days that change data capture has not confirmed. They were kept. ` +
      'Check the replication task and its slot "<database>_outbox" (docs/operations.md).',
  );
}
