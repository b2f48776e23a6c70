import { codedError } from "../function/coded-error";

/** Changes that a microservice commits at once: TransactWriteItems takes 100 actions; a change takes two, the inbox record one. */
export const MAX_CHANGES_PER_COMMIT = 49;

/**
 * Bytes that an event's payload ({"change", "state"} as UTF-8 JSON) may have. EventBridge takes entries of 256 KiB everywhere (and
 * 1 MiB since January 2026); 16 KiB are left for the envelope. PostgreSQL checks the same figure (framework migration 0002).
 */
export const MAX_PAYLOAD_BYTES = 240 * 1024;

/** The error for a payload over the limit. */
export function payloadTooLarge(what: string, bytes: number) {
  return codedError(
    "EVENT_TOO_LARGE",
    `${what} has a payload of ${bytes} bytes; the limit is ${MAX_PAYLOAD_BYTES}. Nothing was written. Keep large content elsewhere and publish a reference to it.`,
  );
}
