import type { Kysely } from "kysely";
import { v7 as uuid } from "uuid";
import { codedError, errorCode } from "../coded-error";
import { aggregateName } from "../contract";
import type {
  CommitContext,
  CommitOutcome,
  CommittedChange,
  StagedChange,
  StagedPostgresChange,
} from "../staged-change";
import { isKnownToBeValid } from "./known-state";
import { withNextLives } from "./next-life";
import { type AnyDatabase, changeStatement } from "./postgres-statement";
import { validChange, validState } from "./validation";

/** SQLSTATE: unique_violation. */
const UNIQUE_VIOLATION = "23505";
/** SQLSTATEs of a lost race: serialization_failure, deadlock_detected. */
const LOST_RACE = ["40001", "40P01"];
/** Raised by the guard (migration 0003) and by the payload check (migration 0002). */
const GUARD_VIOLATION = "DC001";
const PAYLOAD_TOO_LARGE = "DC002";

/** Code of the error that ends a transaction which is to leave nothing behind; it carries the outcome to tell. */
const ROLLED_BACK = "ROLLED_BACK";

/**
 * Writes changes and their events to PostgreSQL: all of them or nothing. One change is one statement and one round trip;
 * several, or one whose new state only the database can tell, are a transaction in which each event rides with its change.
 *
 * @returns "conflict" when a row had changed since it was read, "duplicate" when `context.once` was committed before
 * @throws INVALID_CHANGE, INVALID_STATE, EVENT_TOO_LARGE, MANY_ROWS_CHANGED, and the database's own errors; nothing is written then
 */
export async function commitToPostgres(
  db: Kysely<AnyDatabase>,
  changes: StagedChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  const staged = changes.map(postgresOnly);
  const committed = await commitOnce(db, staged, context);
  if (committed.outcome !== "conflict") return committed;
  const reborn = await withNextLives(db, staged);
  return reborn ? commitOnce(db, reborn, context) : committed;
}

async function commitOnce(
  db: Kysely<AnyDatabase>,
  staged: StagedPostgresChange[],
  context: CommitContext,
): Promise<CommitOutcome> {
  try {
    const [only, ...more] = staged;
    if (only && more.length === 0) {
      const statement = statementOf(db, only, { context, returnsState: false });
      if (isKnownToBeValid(only.definition, statement.described)) {
        const written = await run(db, statement, only);
        return written ? { outcome: "committed", changes: [written.committed] } : conflictOf(only);
      }
    }
    return await inTransaction(db, staged, context);
  } catch (error) {
    return outcomeOf(error, staged);
  }
}

async function inTransaction(
  db: Kysely<AnyDatabase>,
  staged: StagedPostgresChange[],
  { once, ...context }: CommitContext,
): Promise<CommitOutcome> {
  return db.transaction().execute(async (transaction) => {
    if (once) {
      const record = { consumer: once.consumer, message_id: once.messageId };
      await transaction.insertInto("inbox").values(record).execute();
    }
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
    return { outcome: "committed", changes: committed } as const;
  });
}

type Statement = ReturnType<typeof changeStatement> & { eventId: string };

function statementOf(
  db: Kysely<AnyDatabase>,
  staged: StagedPostgresChange,
  options: { context: CommitContext; returnsState: boolean },
): Statement {
  const eventId = uuid();
  const change = validChange(staged.definition.aggregate, staged.type, staged.change);
  return { ...changeStatement(db, staged, { ...options, id: eventId, change }), eventId };
}

async function run(db: Kysely<AnyDatabase>, statement: Statement, staged: StagedPostgresChange) {
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
    eventId: statement.eventId,
  };
  return { committed, state: row.state };
}

/** Every row that a change touches would be an event under the change's one id. */
function isSecondEvent(error: unknown): boolean {
  return (
    errorCode(error) === UNIQUE_VIOLATION && (error as { constraint?: string }).constraint === "outbox_id_key"
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
  if (code === UNIQUE_VIOLATION || code === GUARD_VIOLATION || LOST_RACE.includes(code ?? "")) {
    const aggregate = staged.map((change) => aggregateName(change.definition.aggregate)).join(", ");
    return { outcome: "conflict", aggregate, message: message ?? "The database found a conflict." };
  }
  if (code === PAYLOAD_TOO_LARGE) throw codedError("EVENT_TOO_LARGE", message ?? "", { cause: error });
  throw error;
}

function postgresOnly(change: StagedChange): StagedPostgresChange {
  if (change.kind === "postgres-change") return change;
  throw codedError(
    "WRONG_STORE",
    `A change of "${change.table}" was staged for DynamoDB but committed to PostgreSQL.`,
  );
}
