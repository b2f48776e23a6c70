import { errorCode } from "../function/coded-error";

/** Code of the error of a statement that was sent to PostgreSQL, or was about to be, when its connection broke. */
export const CONNECTION_LOST = "CONNECTION_LOST";

/** SQLSTATEs of a lost race: serialization_failure, deadlock_detected. The transaction was rolled back for certain. */
export const LOST_RACE_SQLSTATES = ["40001", "40P01"];

/** Whether what failed may well succeed the next time, on a new connection or on fresh reads. */
export function isPassing(error: unknown): boolean {
  return [CONNECTION_LOST, ...LOST_RACE_SQLSTATES].includes(errorCode(error) ?? "");
}
