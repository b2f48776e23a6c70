import { isDeepStrictEqual } from "node:util";
import { differences, eventIdOf } from "./envelope";
import { type Facts, grouped, keyOf } from "../facts";
import { type Finding, finder } from "../finding";
import { quarantined } from "./quarantined";
import type { OutboxEntry, SetAsideMessage } from "../snapshot";
import type { RefusedPoison } from "../writers-journal";

const finding = finder("SET_ASIDE_WITH_PAYLOAD");
const unreached = finder("EVERY_EVENT_REACHES_ITS_SUBSCRIBERS");

/** Compares what waits in dead-letter and quarantine queues with what was injected, both ways. Repeats are allowed. */
export function judgeSetAside(facts: Facts): Finding[] {
  const { setAside } = facts.snapshot;
  const isQuarantine = ({ queue }: SetAsideMessage) => queue.endsWith("-quarantine");
  return [
    ...judgeQuarantine(setAside.filter(isQuarantine), facts),
    ...judgeDeadLetters(
      setAside.filter((message) => !isQuarantine(message)),
      facts,
    ),
  ];
}

function judgeQuarantine(messages: readonly SetAsideMessage[], { journal }: Facts): Finding[] {
  const records = quarantined(messages);
  const findings = records.flatMap(({ where, problem }) =>
    problem ? [finding(where, "a whole payload", problem)] : [],
  );
  const whole = records.filter(({ problem }) => problem === undefined);
  const found = grouped(whole, ({ stream, payload }) => keyOf(stream, payload));
  const undecodable = journal.poison.filter((poison) => poison.kind === "undecodable");
  const injected = grouped(undecodable, ({ stream, payload }) => keyOf(stream, payload));
  for (const [key, poison] of injected) {
    const times = found.get(key)?.length ?? 0;
    if (times < poison.length)
      findings.push(finding(`quarantine of ${key.replace("\n", ": ")}`, poison.length, times));
  }
  for (const [key, unexpected] of found)
    if (!injected.has(key))
      findings.push(...unexpected.map(({ where, payload }) => finding(where, "nothing set aside", payload)));
  return findings;
}

function judgeDeadLetters(messages: readonly SetAsideMessage[], facts: Facts): Finding[] {
  const found = messages.map(({ queue, body }) => {
    const detail = detailOf(body);
    return { queue, body, detail, key: keyOf(queue, eventIdOf(detail)) };
  });
  const byKey = grouped(found, ({ key }) => key);
  const poison = facts.journal.poison.filter((one) => one.kind === "refused");
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

function queueOf({ subscription }: RefusedPoison): string {
  return `${subscription}-dlq`;
}

function compare(
  where: string,
  poison: RefusedPoison,
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
