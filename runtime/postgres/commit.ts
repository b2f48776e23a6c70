import type { Kysely } from "kysely";
import { v7 as uuid } from "uuid";
import { codedError, errorCode } from "../function/coded-error";
import { aggregateName } from "../define/aggregate";
import { CONNECTION_LOST, LOST_RACE_SQLSTATES } from "../store/passing-error";
import type {
  CommitContext,
  CommitOutcome,
  CommittedChange,
  StagedChange,
  StagedPostgresChange,
} from "../store/store";
import { committedUnder } from "./committed-under";
import { isKnownToBeValid } from "./known-state";
import { withNextLives } from "./next-life";
import { insertInboxRecord, isProcessed } from "./inbox";
import { type AnyDatabase, changeStatement } from "./statement";
import { checkTexts, isRefusedValue, refusedValue } from "./refused-value";
import { untilKnown } from "../store/until-known";
import { validChange, validKey, validState } from "../store/validation";

/** SQLSTATE: unique_violation. */
const UNIQUE_VIOLATION = "23505";
/** Raised by the guard (migration 0003) and by the payload check (migration 0002). */
const GUARD_VIOLATION = "DC001";
const PAYLOAD_TOO_LARGE = "DC002";

/** Code of the error that ends a transaction which is to leave nothing behind; it carries the outcome to tell. */
const ROLLED_BACK = "ROLLED_BACK";

const UNKNOWN: CommitOutcome = {
  outcome: "unknown",
  message:
    "The connection to the database broke before it answered, and it could not be asked again: what was sent may have been written.",
};

/** A change and the id of its event: the same id at every try, so that at most one of them takes effect. */
type IdentifiedChange = StagedPostgresChange & { eventId: string };

/**
 * Writes changes and their events to PostgreSQL: all of them or nothing. One change is one statement and one round trip;
 * several, or one whose new state only the database can tell, are a transaction in which each event rides with its change.
 *
 * @returns "conflict" when a row had changed since it was read, "duplicate" when `context.once` was committed before, "unknown" when
 *   the connection broke before the answer came and the database could not be asked again
 * @throws INVALID_KEY, INVALID_CHANGE, INVALID_STATE, INVALID_VALUE, EVENT_TOO_LARGE, MANY_ROWS_CHANGED, CONNECTION_LOST (before the
 *   commit was sent), and the database's own errors; nothing is written then
 */
export async function commitToPostgres(
  db: Kysely<AnyDatabase>,
  changes: StagedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  if (changes.length === 0 && !context.once) return { outcome: "committed", changes: [] };
  const staged = changes.map((change) => ({ ...postgresOnly(change), eventId: uuid() }));
  return untilKnown(
    () => tryToCommit(db, staged, context),
    () =>
      committedUnder(
        db,
        staged.map(({ eventId }) => eventId),
      ),
  );
}

async function tryToCommit(
  db: Kysely<AnyDatabase>,
  staged: IdentifiedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  const first = await commitOnce(db, staged, context);
  if (first.outcome !== "conflict") return first;
  const reborn = await withNextLives(db, staged);
  const last = reborn ? await commitOnce(db, reborn, context) : first;
  if (last.outcome !== "conflict" || !context.once) return last;
  // What a change conflicts with may be its own first time; the inbox record, which comes after it, was not reached then.
  return (await isProcessed(db, context.once)) ? { outcome: "duplicate" } : last;
}

async function commitOnce(
  db: Kysely<AnyDatabase>,
  staged: IdentifiedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  const progress = { isCommitting: false };
  try {
    const [only, ...more] = staged;
    if (only && more.length === 0) {
      const statement = statementOf(db, only, { context, returnsState: false });
      if (isKnownToBeValid(only.definition, statement.described)) {
        progress.isCommitting = true;
        const written = await run(db, statement, only);
        return written ? { outcome: "committed", changes: [written.committed] } : conflictOf(only);
      }
    }
    return await inTransaction(db, staged, context, progress);
  } catch (error) {
    if (progress.isCommitting && errorCode(error) === CONNECTION_LOST) return UNKNOWN;
    return outcomeOf(error, staged);
  }
}

async function inTransaction(
  db: Kysely<AnyDatabase>,
  staged: IdentifiedChange[],
  { once, ...context }: CommitContext,
  progress: { isCommitting: boolean },
): Promise<CommitOutcome> {
  return db.transaction().execute(async (transaction) => {
    // An event's record comes first, so that nothing else that has changed meanwhile is told of one that was processed before.
    const isRequest = once?.fingerprint !== undefined;
    if (once && !isRequest) await insertInboxRecord(transaction, once, []);
    const committed: CommittedChange[] = [];
    for (const change of staged) {
      const statement = statementOf(transaction, change, { context, returnsState: true });
      const written = await run(transaction, statement, change);
      if (!written)
        throw Object.assign(codedError(ROLLED_BACK, "A change lost its race"), {
          outcome: conflictOf(change),
        });
      if (written.state) validState(change.definition.aggregate, written.state);
      committed.push(written.committed);
    }
    if (once && isRequest) await insertInboxRecord(transaction, once, committed);
    progress.isCommitting = true;
    return { outcome: "committed", changes: committed } as const;
  });
}

type Statement = ReturnType<typeof changeStatement>;

function statementOf(
  db: Kysely<AnyDatabase>,
  staged: IdentifiedChange,
  options: { context: CommitContext; returnsState: boolean },
): Statement {
  const { aggregate, columns } = staged.definition;
  const change = validChange(aggregate, staged.type, staged.change);
  const statement = changeStatement(db, staged, { ...options, id: staged.eventId, change });
  const { query, described } = statement;
  const id = described.values[columns[aggregate.key] as string];
  if (typeof id === "string") validKey(aggregate, id);
  checkTexts(`The change "${staged.type}" of ${aggregate.name}`, query.parameters);
  return statement;
}

async function run(db: Kysely<AnyDatabase>, statement: Statement, staged: IdentifiedChange) {
  const { rows } = await db.executeQuery(statement.query).catch((error: unknown) => {
    throw isSecondEvent(error) ? manyRowsChanged(staged, error) : error;
  });
  const [row] = rows;
  if (!row) return undefined;
  const committed: CommittedChange = {
    aggregate: aggregateName(staged.definition.aggregate),
    id: row.aggregate_id,
    version: row.aggregate_version,
    event: staged.type,
    eventId: staged.eventId,
  };
  return { committed, state: row.state };
}

/** Every row that a change touches would be an event under the change's one id. */
function isSecondEvent(error: unknown): boolean {
  return (
    errorCode(error) === UNIQUE_VIOLATION && (error as { constraint?: string }).constraint === "outbox_pkey"
  );
}

function manyRowsChanged({ table, type }: StagedPostgresChange, cause: unknown) {
  return codedError(
    "MANY_ROWS_CHANGED",
    `The change of "${type}" touched more than one row of "${table}"; nothing was written. Name the key in its "where": an event tells of one aggregate.`,
    { cause },
  );
}

function conflictOf(staged: StagedPostgresChange): CommitOutcome {
  const aggregate = aggregateName(staged.definition.aggregate);
  const message = `The ${aggregate} was changed by somebody else since it was read; nothing was written. Read it again.`;
  return { outcome: "conflict", aggregate, message };
}

/** Lost races and repeats are outcomes; everything else stays an error. */
function outcomeOf(error: unknown, staged: StagedPostgresChange[]): CommitOutcome {
  const code = errorCode(error);
  const { constraint, outcome, message } = error as {
    constraint?: string;
    outcome?: CommitOutcome;
    message?: string;
  };
  if (code === ROLLED_BACK && outcome) return outcome;
  if (code === UNIQUE_VIOLATION && constraint === "inbox_pkey") return { outcome: "duplicate" };
  if (code === UNIQUE_VIOLATION || code === GUARD_VIOLATION || LOST_RACE_SQLSTATES.includes(code ?? "")) {
    const aggregate = staged.map((change) => aggregateName(change.definition.aggregate)).join(", ");
    return { outcome: "conflict", aggregate, message: message ?? "The database found a conflict." };
  }
  if (code === PAYLOAD_TOO_LARGE) throw codedError("EVENT_TOO_LARGE", message ?? "", { cause: error });
  if (isRefusedValue(error)) {
    const types = staged.map(({ type }) => `"${type}"`).join(", ");
    throw refusedValue(`The change ${types}`, `SQLSTATE ${code}; nothing was written`, error);
  }
  throw error;
}

function postgresOnly(change: StagedChange): StagedPostgresChange {
  if (change.kind === "postgres-change") return change;
  throw codedError(
    "WRONG_STORE",
    `A change of "${change.table}" was staged for DynamoDB but committed to PostgreSQL.`,
  );
}
