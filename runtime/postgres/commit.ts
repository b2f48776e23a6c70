import type { Kysely } from "kysely";
import { v7 as uuid } from "uuid";
import type { Row, StagedChange } from "../define/change";
import { errorCode } from "../function/coded-error";
import { checkChangedOnce } from "../store/handles";
import { CONNECTION_LOST, untilKnown } from "../store/retries";
import type { CommitContext, CommitOutcome, CommittedChange } from "../store/store";
import { validChange, validKey } from "../store/validation";
import { batchesOf, batchStatement, type CheckedChange, haveNeighbours } from "./batch-statement";
import { checkedFields, checkMadeState } from "./checked-fields";
import { conflictOf, explainConflict } from "./conflict";
import {
  checkTexts,
  manyRowsChanged,
  outcomeOf,
  rolledBack,
  saysOtherState,
  touchedManyRows,
} from "./errors";
import { insertInboxRecord, isProcessed } from "./inbox";
import { type AnyDatabase, type ChangedRow, changeStatement, type IdentifiedChange } from "./statement";

/**
 * Commits the changes of a command or reaction to PostgreSQL: all changes and their events are written, or
 * nothing.
 *
 * @returns "conflict" when a row had changed since it was read, "refused" when a constraint or trigger of the
 *   domain refused a change, "duplicate" when `context.once` was committed before, "unknown" when the connection broke before the answer came and the database could not be reached
 *   again
 * @throws INVALID_KEY, INVALID_CHANGE, INVALID_STATE, INVALID_VALUE, VALUE_CHANGED, EVENT_TOO_LARGE, MANY_ROWS_CHANGED,
 *   GUARD_REFUSED, AGGREGATE_CHANGED_TWICE, CONNECTION_LOST (before the commit was sent), and the database's own errors;
 *   nothing is written then
 */
export async function commitToPostgres(
  db: Kysely<AnyDatabase>,
  changes: StagedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  // 1. Without changes and without an inbox record there is nothing to write.
  if (changes.length === 0 && !context.once) return { outcome: "committed", changes: [] };
  checkChangedOnce(changes);
  // 2. Give each event its id, the same for all attempts, so that at most one attempt takes effect.
  const identified = changes.map((change): IdentifiedChange => ({ ...change, eventId: uuid() }));
  // 3. When the answer of an attempt is lost, try again or find its events in the outbox (store/retries.ts).
  return untilKnown(
    () => tryToCommit(db, identified, context),
    () => findCommitted(db, identified),
  );
}

async function tryToCommit(
  db: Kysely<AnyDatabase>,
  changes: IdentifiedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  const first = await commitOnce(db, changes, context);
  // 8. If the key of a creation had an earlier life, write it on top of that life's last version.
  const { reborn, existing } = first.outcome === "conflict" ? await explainConflict(db, changes) : {};
  const last = reborn ? await commitOnce(db, reborn, context) : first;
  if (last.outcome !== "conflict" && last.outcome !== "refused") return last;
  // 9. If the message was processed before, the change conflicts with its own effect.
  if (context.once && (await isProcessed(db, context.once))) return { outcome: "duplicate" };
  return last.outcome === "conflict" ? { ...last, ...existing } : last;
}

async function commitOnce(
  db: Kysely<AnyDatabase>,
  changes: IdentifiedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  if (haveNeighbours(changes)) {
    const all = await inBatches(db, changes, context);
    if (all) return all;
  }
  try {
    return await attempt(db, changes, context, { stateIsKnown: true, inBatches: false });
  } catch (error) {
    if (!saysOtherState(error)) throw error;
    // The database has made something else of a row: a default, a generated column, a trigger. It then makes the
    // state too, and the fields that the change sets are compared with it.
    return attempt(db, changes, context, { stateIsKnown: false, inBatches: false });
  }
}

/**
 * Commits several changes with one statement for all neighbours of a table and operation.
 *
 * @returns undefined when that did not succeed and nothing was written: only one by one is it known which change
 *   failed, and in which order their constraints are met
 * @throws CONNECTION_LOST, and errors without a code
 */
async function inBatches(
  db: Kysely<AnyDatabase>,
  changes: IdentifiedChange[],
  context: CommitContext,
): Promise<CommitOutcome | undefined> {
  try {
    const result = await attempt(db, changes, context, { stateIsKnown: true, inBatches: true });
    return result.outcome === "conflict" || result.outcome === "refused" ? undefined : result;
  } catch (error) {
    // What has no code is a mistake in this code.
    if ([undefined, CONNECTION_LOST].includes(errorCode(error))) throw error;
    return undefined;
  }
}

interface Attempt {
  /** Whether the state of an event is what the change makes of the row, unless only the database knows it. */
  stateIsKnown: boolean;
  /** Whether neighbours are written by one statement. */
  inBatches: boolean;
}

async function attempt(
  db: Kysely<AnyDatabase>,
  changes: IdentifiedChange[],
  context: CommitContext,
  how: Attempt,
): Promise<CommitOutcome> {
  const progress = { isCommitting: false };
  try {
    const [only, ...more] = changes;
    if (only && more.length === 0) {
      // 4. Check the change and the new state against the contract.
      const statement = statementOf(db, checkedChange(only, how), context);
      if (statement.state !== undefined) {
        // 5. Run one change as one statement, and so one transaction: the row, its event, and the inbox
        //   record.
        progress.isCommitting = true;
        const written = await run(db, statement, only);
        // 7. No row comes back when the row had another version.
        return written ? { outcome: "committed", changes: [written.committed] } : conflictOf(only);
      }
    }
    return await inTransaction(db, changes, context, { progress, ...how });
  } catch (error) {
    if (progress.isCommitting && errorCode(error) === CONNECTION_LOST) return UNKNOWN;
    if (saysOtherState(error)) throw error;
    return outcomeOf(db, error, changes);
  }
}

/**
 * 6. Run several changes, or one whose new state only the database knows, as a transaction. Each statement
 *    still writes a row and its event, or neighbouring rows and their events.
 */
async function inTransaction(
  db: Kysely<AnyDatabase>,
  changes: IdentifiedChange[],
  { once, ...context }: CommitContext,
  { progress, ...how }: Attempt & { progress: { isCommitting: boolean } },
): Promise<CommitOutcome> {
  return db.transaction().execute(async (transaction) => {
    // The inbox record of an event comes first: it identifies a processed event even when the rows have
    // changed since.
    const isRequest = once?.fingerprint !== undefined;
    if (once && !isRequest) await insertInboxRecord(transaction, once, []);
    const committed: CommittedChange[] = [];
    const checked = changes.map((change) => checkedChange(change, how));
    for (const batch of how.inBatches ? batchesOf(checked) : checked.map((one) => [one])) {
      const [only, ...more] = batch;
      if (!only) continue;
      if (more.length > 0) {
        committed.push(...(await runBatch(transaction, batch, context)));
        continue;
      }
      const written = await run(transaction, statementOf(transaction, only, context), only.staged);
      if (!written) throw rolledBack(conflictOf(only.staged));
      if (written.state) checkMadeState(only.staged, written.state);
      committed.push(written.committed);
    }
    if (once && isRequest) await insertInboxRecord(transaction, once, committed);
    progress.isCommitting = true;
    return { outcome: "committed", changes: committed } as const;
  });
}

interface Statement extends ReturnType<typeof changeStatement> {
  /** The state that the event says; undefined where the database makes it. */
  state: Row | null | undefined;
}

function checkedChange(given: IdentifiedChange, { stateIsKnown }: Attempt): CheckedChange {
  const { definition, event } = given;
  const { aggregate } = definition;
  const change = validChange(aggregate, event, given.change);
  if (given.operation === "create") validKey(aggregate, given.fields[aggregate.key]);
  const { staged, state } = checkedFields(given);
  return { staged, change, state: stateIsKnown ? state : undefined };
}

function statementOf(
  db: Kysely<AnyDatabase>,
  { staged, change, state }: CheckedChange,
  context: CommitContext,
): Statement {
  const { aggregate } = staged.definition;
  const known = state === undefined ? {} : { state };
  const statement = changeStatement(db, staged, { change, context, ...known });
  const { query, described } = statement;
  if (typeof described.key === "string") validKey(aggregate, described.key);
  checkTexts(`The change "${staged.event}" of ${aggregate.name}`, query.parameters);
  return { ...statement, state };
}

/** Runs a batch in its transaction. @throws a conflict when a row was not at its version */
async function runBatch(
  transaction: Kysely<AnyDatabase>,
  batch: readonly CheckedChange[],
  context: CommitContext,
): Promise<CommittedChange[]> {
  const query = batchStatement(batch, context);
  checkTexts("A batch of changes", query.parameters);
  const { rows } = await transaction.executeQuery(query);
  const written = new Map(rows.map((row) => [row.id, row]));
  return batch.map(({ staged }) => {
    const row = written.get(staged.eventId);
    if (!row) throw rolledBack(conflictOf(staged));
    return committedBy(staged, row);
  });
}

async function run(db: Kysely<AnyDatabase>, { query }: Statement, staged: IdentifiedChange) {
  const { rows } = await db.executeQuery(query).catch((error: unknown) => {
    throw touchedManyRows(error) ? manyRowsChanged(staged, error) : error;
  });
  const [row] = rows;
  if (!row) return undefined;
  return { committed: committedBy(staged, row), state: row.state };
}

function committedBy(
  { definition, event, eventId }: IdentifiedChange,
  row: Pick<ChangedRow, "aggregate_id" | "aggregate_version">,
): CommittedChange {
  const { aggregate_id: id, aggregate_version: version } = row;
  return { aggregate: definition.aggregate.name, id, version, event, eventId };
}

/** What was committed with the event ids of these changes: all of one commit; undefined if nothing was. */
async function findCommitted(
  db: Kysely<AnyDatabase>,
  changes: IdentifiedChange[],
): Promise<CommittedChange[] | undefined> {
  if (changes.length === 0) return undefined;
  const ids = changes.map(({ eventId }) => eventId);
  const columns = ["id", "aggregate", "aggregate_id", "aggregate_version", "type"] as const;
  const query = db.selectFrom("outbox").select(columns).where("id", "in", ids);
  const rows = (await query.execute()) as unknown as OutboxRow[];
  if (rows.length === 0) return undefined;
  const written = new Map(
    rows.map(({ id, aggregate, aggregate_id, aggregate_version, type }) => [
      id,
      { aggregate, id: aggregate_id, version: aggregate_version, event: type, eventId: id },
    ]),
  );
  return ids.flatMap((id) => written.get(id) ?? []);
}

/** As framework migration 0002 declares them. */
interface OutboxRow {
  id: string;
  aggregate: string;
  aggregate_id: string;
  aggregate_version: number;
  type: string;
}

const UNKNOWN: CommitOutcome = {
  outcome: "unknown",
  message:
    "The connection to the database broke before it answered, and it could not be reached again. The changes may have been written.",
};
