import { type Kysely, sql } from "kysely";
import type { Rejection } from "../define/rejection";
import { isText } from "../envelope/portable-data";
import { codedError, errorCode } from "../function/coded-error";
import { isDatabaseError, withoutValues } from "../function/private-values";
import { isRefusedSqlstate, refusedValue } from "../store/refused-values";
import { LOST_RACE_SQLSTATES } from "../store/retries";
import type { CommitOutcome, Conflict } from "../store/store";
import { refusalOf } from "./constraints";
import { RESERVED_TABLES } from "./names";
import { issuesOf } from "./refused-columns";
import { type AnyDatabase, describeChange, type IdentifiedChange } from "./statement";

/** SQLSTATE: unique_violation. */
const UNIQUE_VIOLATION = "23505";
/** SQLSTATEs of the guard (framework migration 0003) and of the payload check (framework migration 0002). */
const GUARD_VIOLATION = "DC001";
const PAYLOAD_TOO_LARGE = "DC002";
/** SQLSTATE of the check of events (framework migration 0007), and of values that JSON cannot hold (0005). */
const EVENT_UNTRUE = "DC004";
const VALUE_NOT_EXACT = "DC005";
/** What the outbox refuses because stream and bus could not carry it (framework migration 0008). */
const OUTBOX_LIMITS = "outbox_event";
/** Code of the error that rolls a transaction back and carries its outcome. */
const ROLLED_BACK = "ROLLED_BACK";

/** Whether the database refused an event because its state is not what the row says. */
export function saysOtherState(error: unknown): boolean {
  const { column, detail } = error as { column?: string; detail?: string };
  return errorCode(error) === EVENT_UNTRUE && column === "payload" && detail !== undefined;
}

/** An error that rolls a transaction back; `outcomeOf` turns it into the outcome. */
export function rolledBack(outcome: Conflict) {
  return Object.assign(codedError(ROLLED_BACK, "A change lost its race"), { outcome });
}

/** What is read of an error. */
interface FailedCommit {
  constraint?: string;
  table?: string;
  outcome?: CommitOutcome;
}

/**
 * The outcome of a commit that failed with an error and was rolled back: a lost race, a repeat, or a refusal by
 * the domain's own constraints and triggers.
 *
 * @throws EVENT_TOO_LARGE, INVALID_STATE, INVALID_VALUE, GUARD_REFUSED, and any other error without the values in it
 */
export async function outcomeOf(
  db: Kysely<AnyDatabase>,
  thrown: unknown,
  changes: IdentifiedChange[],
): Promise<CommitOutcome> {
  const code = errorCode(thrown) ?? "";
  const { constraint, table = "", outcome } = thrown as FailedCommit;
  if (code === ROLLED_BACK && outcome) return outcome;
  const error = isDatabaseError(thrown) ? withoutValues(thrown) : (thrown as Error);
  const aggregate = changes.map(({ definition }) => definition.aggregate.name).join(", ");
  const conflict = { outcome: "conflict", aggregate, message: error.message } as const;
  if (LOST_RACE_SQLSTATES.includes(code)) return conflict;
  if (code === UNIQUE_VIOLATION) {
    if (constraint === "inbox_pkey") return { outcome: "duplicate" };
    if (RESERVED_TABLES.includes(table) || (await isPrimaryKey(db, thrown as FailedCommit, changes)))
      return conflict;
  }
  if (code === GUARD_VIOLATION) {
    // A creation may meet another life of its key. An update or a removal has its version and its event.
    if (changes.some((change) => describeChange(db, change).described.operation === "insert"))
      return conflict;
    throw codedError("GUARD_REFUSED", `${error.message}. Nothing was written.`, { cause: error });
  }
  if (code === PAYLOAD_TOO_LARGE) throw codedError("EVENT_TOO_LARGE", error.message, { cause: error });
  if (constraint === OUTBOX_LIMITS) throw codedError("INVALID_STATE", error.message, { cause: error });
  if (isRefusedSqlstate(code) || code === VALUE_NOT_EXACT) {
    const events = changes.map(({ event }) => `"${event}"`).join(", ");
    const issues = await issuesOf(db, changes, code);
    throw refusedValue(`The change ${events}`, issues, error);
  }
  const rejection: Rejection | undefined = refusalOf(thrown, changes);
  if (rejection) return { outcome: "refused", rejection };
  throw error;
}

/** Whether a unique violation is of a changed table's primary key: the aggregate exists. */
async function isPrimaryKey(
  db: Kysely<AnyDatabase>,
  { constraint = "", table = "" }: FailedCommit,
  changes: IdentifiedChange[],
): Promise<boolean> {
  if (!changes.some((change) => change.table === table)) return false;
  const { rows } = await sql`
    select from pg_constraint
      where conrelid = to_regclass(quote_ident(${table})) and conname = ${constraint} and contype = 'p'`.execute(
    db,
  );
  return rows.length > 0;
}

/**
 * Whether a change touched more than one row: each row is an event, and all would have the change's event id.
 */
export function touchedManyRows(error: unknown): boolean {
  return (
    errorCode(error) === UNIQUE_VIOLATION && (error as { constraint?: string }).constraint === "outbox_pkey"
  );
}

/** The error for a change that touched more than one row. */
export function manyRowsChanged({ table, event }: IdentifiedChange, cause: unknown) {
  return codedError(
    "MANY_ROWS_CHANGED",
    `The change of "${event}" touched more than one row of "${table}". Nothing was written. Select one row by its key: an event is about one aggregate.`,
    { cause: withoutValues(cause) },
  );
}

/**
 * Refuses texts that PostgreSQL does not store unchanged: it has no NUL, and half of a surrogate pair arrives
 * as another character.
 *
 * @throws INVALID_VALUE
 */
export function checkTexts(what: string, values: readonly unknown[]): void {
  if (values.every((value) => typeof value !== "string" || isText(value))) return;
  throw refusedValue(what, [
    { path: "", message: "is a text with a NUL character or half of a surrogate pair" },
  ]);
}
