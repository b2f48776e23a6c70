import { isText } from "../envelope/portable-data";
import { codedError, errorCode } from "../function/coded-error";
import { LOST_RACE_SQLSTATES } from "../store/retries";
import type { CommitOutcome, Conflict } from "../store/store";
import type { IdentifiedChange } from "./statement";

/** SQLSTATE: unique_violation. */
const UNIQUE_VIOLATION = "23505";
/** SQLSTATEs of the guard (framework migration 0003) and of the payload check (framework migration 0002). */
const GUARD_VIOLATION = "DC001";
const PAYLOAD_TOO_LARGE = "DC002";
/** What the outbox refuses because stream and bus could not carry it (framework migration 0006). */
const OUTBOX_LIMITS = "outbox_event";
/** Code of the error that rolls a transaction back and carries its outcome. */
const ROLLED_BACK = "ROLLED_BACK";
/**
 * SQLSTATE classes of a value that PostgreSQL does not accept: data exception (too long, out of range, not a
 * uuid, a NUL character) and program limit exceeded (e.g. too long for an index).
 */
const REFUSED_VALUE = /^(22|54)...$/;

/** An error that rolls a transaction back; `outcomeOf` turns it into the outcome. */
export function rolledBack(outcome: Conflict) {
  return Object.assign(codedError(ROLLED_BACK, "A change lost its race"), { outcome });
}

/**
 * The outcome of a commit that failed with an error: a lost race or a repeat.
 *
 * @throws EVENT_TOO_LARGE, INVALID_STATE, INVALID_VALUE, and any other error as it is
 */
export function outcomeOf(error: unknown, changes: IdentifiedChange[]): CommitOutcome {
  const code = errorCode(error);
  const { constraint, outcome, message } = error as {
    constraint?: string;
    outcome?: CommitOutcome;
    message?: string;
  };
  if (code === ROLLED_BACK && outcome) return outcome;
  if (code === UNIQUE_VIOLATION && constraint === "inbox_pkey") return { outcome: "duplicate" };
  if (code === UNIQUE_VIOLATION || code === GUARD_VIOLATION || LOST_RACE_SQLSTATES.includes(code ?? "")) {
    const aggregate = changes.map(({ definition }) => definition.aggregate.name).join(", ");
    return { outcome: "conflict", aggregate, message: message ?? "The database found a conflict." };
  }
  if (code === PAYLOAD_TOO_LARGE) throw codedError("EVENT_TOO_LARGE", message ?? "", { cause: error });
  if (constraint === OUTBOX_LIMITS) throw codedError("INVALID_STATE", message ?? "", { cause: error });
  if (isRefusedValue(error)) {
    const events = changes.map(({ event }) => `"${event}"`).join(", ");
    throw refusedValue(`The change ${events}`, `SQLSTATE ${code}; nothing was written`, error);
  }
  throw error;
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
    { cause },
  );
}

/** Whether the database refused a value, and not the statement as such. */
export function isRefusedValue(error: unknown): boolean {
  return REFUSED_VALUE.test(errorCode(error) ?? "");
}

/**
 * The error for a value that PostgreSQL does not accept. Its cause is the database's error, which may quote
 * the value.
 */
export function refusedValue(what: string, why: string, cause?: unknown) {
  return codedError("INVALID_VALUE", `${what} has a value that PostgreSQL does not accept: ${why}.`, {
    cause,
  });
}

/**
 * Refuses texts that PostgreSQL does not store unchanged: it has no NUL, and half of a surrogate pair arrives
 * as another character.
 *
 * @throws INVALID_VALUE
 */
export function checkTexts(what: string, values: readonly unknown[]): void {
  if (values.every((value) => typeof value !== "string" || isText(value))) return;
  throw refusedValue(what, "a text with a NUL character or half of a surrogate pair");
}
