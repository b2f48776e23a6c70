import { randomBytes } from "node:crypto";

/** A new W3C trace context: version, trace id, span id, sampled. */
export function newTraceparent(): string {
  const ids = randomBytes(24).toString("hex");
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`;
}

/** A new span in the same trace; a new trace when there is none to continue. */
export function childTraceparent(traceparent: string | undefined): string {
  const match = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(traceparent ?? "");
  return match ? `00-${match[1]}-${randomBytes(8).toString("hex")}-${match[2]}` : newTraceparent();
}
