import { isDeepStrictEqual } from "node:util";
import { type Facts, grouped, keyOf } from "../facts";
import { type Finding, finder } from "../finding";
import type { OutboxEntry } from "../snapshot";
import type { RefusedPoison, UnclaimedPoison } from "../writers-journal";
import { differences, eventIdOf } from "./publication";

const finding = finder("QUARANTINED_WITH_PAYLOAD");
const unreached = finder("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS");

/**
 * Compares the messages in dead-letter queues with the injected events that handlers refuse, and that no contract
 * knows, both ways.
 * Duplicates are allowed.
 */
export function judgeDeadLetters(facts: Facts): Finding[] {
  const found = facts.snapshot.deadLetters.map(({ queue, body }) => {
    const detail = detailOf(body);
    return { queue, body, detail, key: keyOf(queue, eventIdOf(detail)) };
  });
  const byKey = grouped(found, ({ key }) => key);
  const poison = facts.journal.poison.filter((one) => one.kind !== "undecodable");
  const injected = new Set(poison.map((one) => keyOf(queueOf(one), one.eventId)));
  const missing = poison.flatMap((one) => {
    const where = `${queueOf(one)}: event "${one.eventId}"`;
    const copies = byKey.get(keyOf(queueOf(one), one.eventId)) ?? [];
    if (copies.length === 0) return [finding(where, "a message with the event", "none")];
    const [event] = facts.eventsById.get(one.eventId) ?? [];
    return copies.flatMap(({ detail }) => compare(where, one, event, detail));
  });
  const unexpected = found
    .filter(({ key }) => !injected.has(key))
    .map(({ queue, body }) => unreached(`message in ${queue}`, "no message", body));
  return [...missing, ...unexpected];
}

function queueOf(poison: RefusedPoison | UnclaimedPoison): string {
  return poison.kind === "refused" ? `${poison.subscription}-dlq` : "unclaimed-queue";
}

function compare(
  where: string,
  poison: RefusedPoison | UnclaimedPoison,
  event: OutboxEntry | undefined,
  detail: unknown,
): Finding[] {
  if (event)
    return differences(event, detail).map(({ field, expected, found }) =>
      finding(`${where}, ${field}`, expected, found),
    );
  if (poison.detail === undefined || isDeepStrictEqual(detail, poison.detail)) return [];
  return [finding(where, poison.detail, detail)];
}

/** The CloudEvent in the EventBridge event that a message holds; undefined if it holds none. */
function detailOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { detail?: unknown } | null)?.detail;
  } catch {
    return undefined;
  }
}
