import type { PutEventsResultEntry } from "@aws-sdk/client-eventbridge";
import { errorCode } from "../function/coded-error";
import { loggedReason } from "../function/private-values";

/** Why an event is not on the bus. */
export interface PublishFailure {
  /**
   * "unreachable": the bus was not reached or is busy, which says nothing about the event; "refused": the bus
   * does not take this event; "failed": the bus failed for this event, for a reason that may pass.
   */
  kind: "unreachable" | "refused" | "failed";
  /** E.g. "AccessDeniedException"; undefined where the answer has none. */
  code: string | undefined;
  reason: string;
  /** Rounds in a row that it failed, and in which it was refused. */
  rounds: number;
  refusals: number;
}

/** Rounds in which a failed event is tried once, before it is returned to its stream. */
export const MAX_FAILED_ROUNDS = 5;

/** How old a record must be, in milliseconds, to be quarantined because the bus takes others and not it. */
export const MAX_FAILING_MILLISECONDS = 15 * 60_000;
/**
 * The same while the bus takes nothing, so that the cause may lie outside the record: half the time that a
 * DynamoDB stream keeps it, after which it would be lost.
 */
export const MAX_FAILING_ALONE_MILLISECONDS = 12 * 3_600_000;

/** Codes of an entry that may succeed later. Source: Amazon EventBridge API, PutEventsResultEntry. */
const PASSING_ENTRY_CODES = ["InternalFailure", "InternalException", "ServiceUnavailable"];
/** The bus, or the account, is busy. */
const THROTTLING = /Throttl|TooManyRequests|LimitExceeded|SlowDown/i;
/** Codes of SDK and Node for a call that got no answer. */
const UNREACHABLE =
  /^(TimeoutError|AbortError|RequestTimeout|NetworkingError|E(CONN|PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN|HOST|NET))/;
/** Codes that concern the entry and nothing else. Source: as above, and "Common error types". */
const ABOUT_THE_ENTRY = [
  "ValidationException",
  "ValidationError",
  "InvalidArgument",
  "MalformedDetail",
  "RedactionFailure",
  "NotAuthorizedForSourceException",
  "NotAuthorizedForDetailTypeException",
  "RequestEntityTooLargeException",
];

/** The failure of an entry that the answer does not confirm. */
export function failureOfEntry(result: PutEventsResultEntry | undefined): PublishFailure {
  const code = result?.ErrorCode;
  const reason = result?.ErrorMessage ?? "The answer of PutEvents does not confirm the event.";
  if (code === undefined) return { ...FIRST, kind: "failed", code, reason };
  if (THROTTLING.test(code)) return { ...FIRST, kind: "unreachable", code, reason };
  return { ...FIRST, kind: PASSING_ENTRY_CODES.includes(code) ? "failed" : "refused", code, reason };
}

/** The failure of a call: refused, unless the bus was not reached or could not work. */
export function failureOfCall(error: unknown): PublishFailure {
  const code = errorCode(error);
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  const isUnreachable =
    UNREACHABLE.test(code ?? "") ||
    THROTTLING.test(code ?? "") ||
    PASSING_ENTRY_CODES.includes(code ?? "") ||
    ($metadata?.httpStatusCode ?? 0) >= 500;
  return {
    ...FIRST,
    kind: isUnreachable ? "unreachable" : "refused",
    code,
    reason: loggedReason(error).reason,
  };
}

const FIRST = { rounds: 1, refusals: 0 };

/** A failure that follows the one of the round before it. */
export function followed(earlier: PublishFailure | undefined, failure: PublishFailure): PublishFailure {
  return {
    ...failure,
    rounds: (earlier?.rounds ?? 0) + 1,
    refusals: failure.kind === "refused" ? (earlier?.refusals ?? 0) + 1 : 0,
  };
}

/**
 * Whether an event that the bus does not take is to be quarantined and its aggregate held; otherwise it is
 * tried again. The bus must be known to work, by the other events that it took in the same invocation: an outage
 * concerns all events, and quarantines none for half a day.
 *
 * @param ageMilliseconds since the record reached its stream
 * @param accepted events that the bus took in the same invocation
 */
export function isGivenUp(failure: PublishFailure, ageMilliseconds: number, accepted: number): boolean {
  if (failure.kind === "unreachable" || failure.rounds < MAX_FAILED_ROUNDS) return false;
  const isAboutTheEvent = accepted > 0 || ABOUT_THE_ENTRY.includes(failure.code ?? "");
  if (failure.refusals >= MAX_FAILED_ROUNDS && isAboutTheEvent) return true;
  return ageMilliseconds >= (accepted > 0 ? MAX_FAILING_MILLISECONDS : MAX_FAILING_ALONE_MILLISECONDS);
}
