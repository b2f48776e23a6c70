import type { Context } from "aws-lambda";
import { codedError } from "../function/coded-error";
import { handler } from "../function/handler";
import { log } from "../function/log";
import { openPool, POOL_VARIABLES } from "../postgres/pool";
import { type OldEvents, removeOldEvents, removeOldInboxRecords } from "./old-rows";

/** How fast old rows are removed. */
export interface RetentionPace {
  /** Rows a batch; each batch is a transaction. */
  batchRows: number;
  /** Bytes of the records that capture makes of a batch; a single row may have more. */
  batchBytes: number;
  /** Between two batches. */
  pauseMilliseconds: number;
}

/** What a run of retention did. */
export interface RetentionResult {
  /** Rows removed from the outbox. */
  outbox: number;
  /** Records removed from the inbox. */
  inbox: number;
  /** False when the time was over before all old rows were gone; the next run goes on. */
  finished: boolean;
}

/**
 * Capture reads each removal too, and the relay ignores it: so removing takes no more than half of what one shard of Kinesis takes
 * (1,000 records and 1 MiB a second), and events have the other half.
 */
export const RETENTION_PACE: RetentionPace = {
  batchRows: 500,
  batchBytes: 512 * 1024,
  pauseMilliseconds: 1_000,
};

/** Time kept back for a last batch: two statements at their time limit (10 s each), a pause, and the answer. */
const RESERVE_MILLISECONDS = 25_000;

/**
 * Makes the function that removes old rows of the monolith's outbox and inbox, batch by batch. Ended at any point, it leaves whole
 * batches behind, and the next run goes on.
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
        // It runs too seldom to keep a connection.
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

/** What is asked no more, once a batch has met events that are not captured. */
const NOTHING: OldEvents = { removed: 0, uncaptured: 0, more: false };

function notCaptured(days: number) {
  return codedError(
    "OUTBOX_NOT_CAPTURED",
    `The outbox has events that are older than "${days}" days and that change data capture has not confirmed; they are kept. ` +
      'Look at the replication task and its slot "<database>_outbox" (docs/operations.md).',
  );
}
